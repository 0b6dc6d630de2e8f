/**
 * Every error that Tepui reports, in one closed table.
 *
 * A row says what went wrong (`text`), what kind of wrong it is (`kind`, which fixes the HTTP and gRPC status) and what
 * the operator can do about it (`hint`). `docs/errors.md` lists the same rows; a test holds the two together.
 */

/** HTTP status and gRPC status (the numbers of google.rpc.Code) of each kind of error. */
export const ERROR_KINDS = {
  invalid: { http: 400, grpc: 3 },
  unauthenticated: { http: 401, grpc: 16 },
  forbidden: { http: 403, grpc: 7 },
  "not-found": { http: 404, grpc: 5 },
  method: { http: 405, grpc: 12 },
  unacceptable: { http: 406, grpc: 3 },
  conflict: { http: 409, grpc: 9 },
  "too-large": { http: 413, grpc: 8 },
  "unsupported-media": { http: 415, grpc: 3 },
  "too-many": { http: 429, grpc: 8 },
  redirect: { http: 307, grpc: 14 },
  internal: { http: 500, grpc: 13 },
  "not-implemented": { http: 501, grpc: 12 },
  unavailable: { http: 503, grpc: 14 },
} as const;

export type ErrorKind = keyof typeof ERROR_KINDS;

export interface ErrorRow {
  readonly kind: ErrorKind;
  /** What happened, without a trailing full stop; the detail of one occurrence is appended after a colon. */
  readonly text: string;
  /** What to do next. */
  readonly hint: string;
}

export const ERRORS = {
  TEPUI_VALUE_INVALID: {
    kind: "invalid",
    text: "A value has the wrong form",
    hint: "Write durations as 10secs, sizes as 64MB, rates as 1/10mins and percentages as 50%.",
  },
  TEPUI_FLAGS_INVALID: {
    kind: "invalid",
    text: "The flags cannot be used",
    hint: "Correct every flag listed; --help lists the flags that exist.",
  },
  TEPUI_MANIFEST_UNREADABLE: {
    kind: "invalid",
    text: "The manifest cannot be read",
    hint: "Check the path, its permissions and that it is YAML or JSON.",
  },
  TEPUI_MANIFEST_INVALID: {
    kind: "invalid",
    text: "The manifest has problems",
    hint: "Correct every line listed; `tepui manifest validate` checks a manifest without starting anything.",
  },
  TEPUI_BOOT_FAILED: {
    kind: "invalid",
    text: "The plugins do not fit together",
    hint: "Correct every problem listed; `tepui plugins graph` shows who provides and who requires what.",
  },
  TEPUI_PLUGIN_INVALID: {
    kind: "invalid",
    text: "A plugin is not well formed",
    hint: "Export the result of definePlugin({...}) as the default export of the plugin's module.",
  },
  TEPUI_PLUGIN_SETUP_FAILED: {
    kind: "internal",
    text: "A plugin failed while it was being set up",
    hint: "See the cause; the plugin's failure policy (abort, degrade, skip) can be set in the manifest.",
  },
  TEPUI_PLUGIN_START_FAILED: {
    kind: "internal",
    text: "A plugin failed to start",
    hint: "See the cause; the plugin's failure policy (abort, degrade, skip) can be set in the manifest.",
  },
  TEPUI_PLUGIN_START_TIMEOUT: {
    kind: "internal",
    text: "A plugin did not start in time",
    hint: "Raise startTimeout for this plugin in the manifest, or look for what it waits for in its log lines.",
  },
  TEPUI_PLUGIN_STOP_FAILED: {
    kind: "internal",
    text: "A plugin failed to stop",
    hint: "The shutdown went on without it; see the cause.",
  },
  TEPUI_PLUGIN_STOP_TIMEOUT: {
    kind: "internal",
    text: "A plugin did not stop in time and was left behind",
    hint: "The shutdown went on without it; raise stopTimeout for this plugin in the manifest if it needs longer.",
  },
  TEPUI_BIND_INVALID: {
    kind: "invalid",
    text: "A plugin bound something that it may not bind",
    hint: "Bind only points listed in `provides`, in setup, once for each point (and key).",
  },
  TEPUI_KERNEL_STATE: {
    kind: "internal",
    text: "The kernel is not in the state that this needs",
    hint: "A kernel is started once and stopped once; make a new one to start again.",
  },
  TEPUI_WORK_DIR_IN_USE: {
    kind: "conflict",
    text: "Another daemon of the same kind uses the work_dir",
    hint: "Stop that daemon first, or give this one a directory of its own with --work_dir.",
  },
  TEPUI_SETTING_TYPE: {
    kind: "internal",
    text: "A setting has another type than the one asked for",
    hint: "This is a fault in the plugin or daemon that reads the setting; report it to its author.",
  },
  TEPUI_METRIC_DUPLICATE: {
    kind: "internal",
    text: "A metric of this name exists already with another type",
    hint: "Use another name, or the scoped view that each plugin gets as ctx.metrics.",
  },
  TEPUI_ELECTION_DETECT_ONLY: {
    kind: "internal",
    text: "This election only follows a leader and takes no candidates",
    hint: "Masters need an election that elects, such as standalone-election; this one is for agents.",
  },
  TEPUI_ZOOKEEPER_URL_INVALID: {
    kind: "invalid",
    text: "The ZooKeeper URL cannot be used",
    hint: "Write zk://host:port,host:port/path or zk://user:password@host:port,host:port/path; IPv6 addresses in brackets.",
  },
  TEPUI_ZOOKEEPER_UNREACHABLE: {
    kind: "unavailable",
    text: "The ZooKeeper ensemble cannot be reached",
    hint: "Check the hosts and ports of the URL, and that more than half of the servers run and see each other.",
  },
  TEPUI_ZOOKEEPER_REFUSED: {
    kind: "forbidden",
    text: "ZooKeeper does not let this daemon use its nodes",
    hint: "Give the user and password in the URL that the path was made with, or correct the path's access list.",
  },
  TEPUI_ETCD_URL_INVALID: {
    kind: "invalid",
    text: "The etcd URL cannot be used",
    hint: "Write etcd://host:port,host:port/path or etcd://user:password@host:port,host:port/path, with etcds:// for TLS.",
  },
  TEPUI_ETCD_UNREACHABLE: {
    kind: "unavailable",
    text: "The etcd cluster cannot be reached",
    hint: "Check the hosts and ports of the URL, and that more than half of the servers run and see each other.",
  },
  TEPUI_ETCD_REFUSED: {
    kind: "forbidden",
    text: "etcd does not let this daemon use its keys",
    hint: "Give a user and password in the URL whose role may read and write the path.",
  },
  TEPUI_RECOVERY_AGENTS_MISSING: {
    kind: "internal",
    text: "More agents than recovery_agent_removal_limit allows did not re-register after the failover",
    hint: "Find out what keeps them away (the network, their logs). To give them up, start the master with a higher limit.",
  },
  TEPUI_REGISTRY_NEEDS_CAPABILITIES: {
    kind: "internal",
    text: "The registry needs capabilities that this master lacks",
    hint: "Run a master that is at least as new as the one that wrote the registry. There, AGENT_DRAINING goes when no agent is deactivated, QUOTA_V2 when no role has a quota.",
  },
  TEPUI_REGISTRY_UNREADABLE: {
    kind: "internal",
    text: "The registry cannot be read",
    hint: "See to what is said of it first: servers must answer, disks be readable. One that is damaged is put back with `tepui restore`; moved away, it leaves a cluster without memory of its agents.",
  },
  TEPUI_REGISTRY_WRITE_FAILED: {
    kind: "unavailable",
    text: "A change could not be made durable",
    hint: "Check what keeps it (the disk below work_dir: space, permissions, errors; or the ensemble) and start the master again.",
  },
  TEPUI_REGISTRY_CLOSED: {
    kind: "unavailable",
    text: "The registry takes no changes now",
    hint: "It takes changes between its recovery and the stop of the master.",
  },
  TEPUI_CLIENT_ADDRESS_INVALID: {
    kind: "invalid",
    text: "The address cannot be used",
    hint: "Write host:port or http://host:port; several masters as a comma-separated list.",
  },
  TEPUI_CLIENT_UNREACHABLE: {
    kind: "unavailable",
    text: "The daemon cannot be reached",
    hint: "Check that it runs, its address and port, and that nothing between blocks the connection.",
  },
  TEPUI_CLIENT_UNAVAILABLE: {
    kind: "unavailable",
    text: "The daemon cannot serve now",
    hint: "Try again: a master that recovers or waits for an election answers so for a while.",
  },
  TEPUI_CLIENT_NOT_LEADER: {
    kind: "redirect",
    text: "The master does not lead",
    hint: "Ask the leader; clients of the SDK follow it by themselves.",
  },
  TEPUI_CLIENT_REFUSED: {
    kind: "invalid",
    text: "The call was refused",
    hint: "Correct the call as the text says; sending it again changes nothing.",
  },
  TEPUI_CLIENT_UNAUTHENTICATED: {
    kind: "unauthenticated",
    text: "The credentials were not accepted",
    hint: "Give the principal and the secret that the daemon knows.",
  },
  TEPUI_CLIENT_FORBIDDEN: {
    kind: "forbidden",
    text: "The call is not allowed",
    hint: "Ask the operator for the permission, or subscribe again where the session is gone.",
  },
  TEPUI_CLIENT_PROTOCOL: {
    kind: "internal",
    text: "The peer does not speak the expected protocol",
    hint: "Check that the address is that of a Mesos or Tepui daemon and that no proxy changes the stream.",
  },
  TEPUI_CLIENT_NOT_SUBSCRIBED: {
    kind: "conflict",
    text: "There is no subscription",
    hint: "Make calls after the subscribed event; after a disconnection wait for the next one.",
  },
  TEPUI_EXECUTOR_ENVIRONMENT: {
    kind: "invalid",
    text: "The executor was not started by an agent",
    hint: "Let a framework launch it; an agent sets the MESOS_* variables listed.",
  },
  TEPUI_EXECUTOR_REFUSED: {
    kind: "invalid",
    text: "The agent refused the executor",
    hint: "The agent may know it as ended: let the framework launch a new one.",
  },
  TEPUI_FRAMEWORK_REMOVED: {
    kind: "conflict",
    text: "The framework has been removed",
    hint: "Subscribe without an id to start as a new framework; raise failover_timeout to be gone for longer.",
  },
  TEPUI_FRAMEWORK_FAILED_OVER: {
    kind: "conflict",
    text: "Another scheduler has taken the framework over",
    hint: "Run one scheduler for each framework id at a time.",
  },
  TEPUI_FRAMEWORK_REFUSED: {
    kind: "invalid",
    text: "The subscription was refused",
    hint: "Correct the FrameworkInfo as the text says.",
  },
  TEPUI_OPERATOR_AGENT_BUSY: {
    kind: "unavailable",
    text: "The agent is being taken out already",
    hint: "Try again in a moment.",
  },
  TEPUI_OPERATOR_AGENT_CHANGING: {
    kind: "conflict",
    text: "The agent was changed in the meantime",
    hint: "Look at the agent again, and try again if it is still there.",
  },
  TEPUI_OPERATOR_AGENT_UNKNOWN: {
    kind: "not-found",
    text: "There is no such agent",
    hint: "Name an agent that /slaves or GET_AGENTS shows.",
  },
  TEPUI_OPERATOR_NOT_LEADING: {
    kind: "unavailable",
    text: "This master does not lead or has not finished recovery",
    hint: "Try again, or ask the leading master.",
  },
  TEPUI_OPERATOR_QUOTA_OVERCOMMITS: {
    kind: "conflict",
    text: "Quota guarantees overcommit the cluster",
    hint: "Guarantee less, add agents, or send `force` to guarantee what the cluster does not have yet.",
  },
  TEPUI_OPERATOR_REQUEST_INVALID: {
    kind: "invalid",
    text: "The request cannot be carried out",
    hint: "Correct the request as the text says; sending it again changes nothing.",
  },
  TEPUI_OPERATOR_RESOURCES_IN_USE: {
    kind: "conflict",
    text: "The resources are in use or are not there",
    hint: "Free the resources, or name ones that /slaves shows as unused; then try again.",
  },
  TEPUI_SCHEDULER_CALL_INVALID: {
    kind: "invalid",
    text: "Failed to validate scheduler::Call",
    hint: "Correct the call as the text says; sending it again changes nothing.",
  },
  TEPUI_SCHEDULER_CALL_UNKNOWN: {
    kind: "not-implemented",
    text: "The master does not know this type of call",
    hint: "Use one of the call types of mesos.v1.scheduler.Call.",
  },
  TEPUI_SCHEDULER_FRAMEWORK_UNKNOWN: {
    kind: "invalid",
    text: "Framework cannot be found",
    hint: "Subscribe first; the id of a framework that was removed cannot be used again.",
  },
  TEPUI_SCHEDULER_FRAMEWORK_UPDATE_INVALID: {
    kind: "invalid",
    text: "The framework cannot be updated",
    hint: "Correct the FrameworkInfo as the text says; the framework goes on with the old one.",
  },
  TEPUI_SCHEDULER_MASTER_NOT_LEADING: {
    kind: "unavailable",
    text: "This master does not lead or has not finished recovery",
    hint: "Try again, or ask the leading master.",
  },
  TEPUI_SCHEDULER_NOT_SUBSCRIBED: {
    kind: "forbidden",
    text: "Framework is not subscribed",
    hint: "Subscribe again with the framework id, then repeat the call.",
  },
  TEPUI_SCHEDULER_STREAM_ID: {
    kind: "invalid",
    text: "All non-subscribe calls should include the 'Mesos-Stream-Id' header",
    hint: "Send the Mesos-Stream-Id of the answer to the latest SUBSCRIBE of this framework with every other call.",
  },
  TEPUI_EXPLAIN_AMBIGUOUS_FRAMEWORK: {
    kind: "conflict",
    text: "Several frameworks are meant",
    hint: "Name one by its id, or by more of the end of it.",
  },
  TEPUI_EXPLAIN_UNKNOWN_FRAMEWORK: {
    kind: "not-found",
    text: "The framework is not known",
    hint: "Name a framework that is registered, by its id, the end of it or its name; /frameworks lists them.",
  },
  TEPUI_CALL_INVALID: {
    kind: "invalid",
    text: "The call is not valid",
    hint: "Correct the call as the text says; sending it again changes nothing.",
  },
  TEPUI_CALL_FORBIDDEN: {
    kind: "forbidden",
    text: "The call is not allowed now",
    hint: "Subscribe first, or again where the session is gone; otherwise ask the operator for the permission.",
  },
  TEPUI_CALL_CONFLICT: {
    kind: "conflict",
    text: "The call does not fit the present state",
    hint: "Read the state again and decide anew.",
  },
  TEPUI_CALL_UNKNOWN: {
    kind: "not-implemented",
    text: "The call is of a type that is not known here",
    hint: "Check the type of the call against the version of the daemon.",
  },
  TEPUI_NOT_FOUND: {
    kind: "not-found",
    text: "There is no such thing",
    hint: "Check the id or the path.",
  },
  TEPUI_UNAVAILABLE: {
    kind: "unavailable",
    text: "The daemon cannot answer this now",
    hint: "Try again: a daemon that recovers or waits for an election answers so for a while.",
  },
  TEPUI_MEDIA_TYPE_UNSUPPORTED: {
    kind: "unsupported-media",
    text: "The type of the body is not supported",
    hint: "Send application/json or application/x-protobuf.",
  },
  TEPUI_NOT_ACCEPTABLE: {
    kind: "unacceptable",
    text: "The answer cannot be given in a type that the client accepts",
    hint: "Accept application/json or application/x-protobuf.",
  },
  TEPUI_BODY_TOO_LARGE: {
    kind: "too-large",
    text: "The body is too large",
    hint: "Split the request, or raise max_body_size of http-server in the manifest.",
  },
  TEPUI_CLIENT_GONE: {
    kind: "unavailable",
    text: "The client left before its request was complete",
    hint: "Nothing to do here; look at the client or at what lies between.",
  },
  TEPUI_LISTEN_FAILED: {
    kind: "unavailable",
    text: "The daemon cannot listen on its address",
    hint: "Stop what uses the port, or choose another with --port and --ip (port 0 takes any free one).",
  },
  TEPUI_ADDRESS_UNKNOWN: {
    kind: "invalid",
    text: "The address that others should use cannot be found out",
    hint: "Set --ip or --advertise_ip to an address of this machine.",
  },
  TEPUI_AGENT_DISK_FAILED: {
    kind: "internal",
    text: "The agent's disk could not be changed",
    hint: "Check space, permissions and health of the file system that holds the agent's work_dir.",
  },
  TEPUI_AGENT_RECOVERING: {
    kind: "unavailable",
    text: "Agent has not finished recovery",
    hint: "Try again in a moment.",
  },
  TEPUI_AGENT_RECOVERY_FAILED: {
    kind: "internal",
    text: "The agent cannot take up what its earlier run left",
    hint: "Start it with the earlier resources and attributes, or remove work_dir/meta/slaves/latest to let it start as a new agent.",
  },
  TEPUI_AGENT_RESOURCES_INVALID: {
    kind: "invalid",
    text: "The agent's resources or attributes cannot be used",
    hint: "Correct --resources or --attributes as the text says.",
  },
  TEPUI_AGENT_TOKEN_KEY_UNUSABLE: {
    kind: "invalid",
    text: "The agent has no key for the tokens of executors",
    hint: "Name a file that holds one with --jwt_secret_key, which --authenticate_http_executors needs.",
  },
  TEPUI_AGENT_WORK_DIR_UNUSABLE: {
    kind: "invalid",
    text: "The agent cannot write to its work_dir",
    hint: "Name a directory that the agent's user may write to with --work_dir.",
  },
  TEPUI_EXECUTOR_BUSY: {
    kind: "unavailable",
    text: "Too much of what the executor sent is still under way",
    hint: "Send the call again later; wait for ACKNOWLEDGED events before sending many more.",
  },
  TEPUI_EXECUTOR_CALL_INVALID: {
    kind: "invalid",
    text: "Failed to validate Executor::Call",
    hint: "Correct the call as the text says; sending it again changes nothing.",
  },
  TEPUI_EXECUTOR_CALL_UNKNOWN: {
    kind: "not-implemented",
    text: "The agent does not know this type of call",
    hint: "Use one of the call types of mesos.v1.executor.Call.",
  },
  TEPUI_EXECUTOR_CLAIMS_WRONG: {
    kind: "forbidden",
    text: "The token is another executor's",
    hint: "Send the token that the agent gave to this executor in MESOS_EXECUTOR_AUTHENTICATION_TOKEN.",
  },
  TEPUI_EXECUTOR_FRAMEWORK_UNKNOWN: {
    kind: "invalid",
    text: "Framework cannot be found",
    hint: "Use the ids that the agent gave to the executor in its environment.",
  },
  TEPUI_EXECUTOR_UNKNOWN: {
    kind: "invalid",
    text: "Executor cannot be found",
    hint: "Use the ids that the agent gave to the executor in its environment.",
  },
  TEPUI_EXECUTOR_NOT_SUBSCRIBED: {
    kind: "forbidden",
    text: "Executor is not subscribed",
    hint: "Make calls after the SUBSCRIBED event.",
  },
  TEPUI_CONTAINER_LAUNCH_FAILED: {
    kind: "internal",
    text: "Failed to launch container",
    hint: "Correct the task as the text says; the sandbox's stderr may say more.",
  },
  TEPUI_CONTAINER_LOGGER_UNAVAILABLE: {
    kind: "unavailable",
    text: "This host cannot give the container logger that --container_logger names",
    hint: "Do as the text says, or leave the flag out.",
  },
  TEPUI_CONTAINER_DESTROY_FAILED: {
    kind: "internal",
    text: "Failed to end all processes of a container",
    hint: "Look at what keeps these processes (a hung file system, a debugger), and end them by hand.",
  },
  TEPUI_LAUNCHER_UNAVAILABLE: {
    kind: "unavailable",
    text: "This host cannot give containers what --launcher names",
    hint: "Do as the text says, or start the agent with --launcher=posix.",
  },
  TEPUI_ISOLATION_UNKNOWN: {
    kind: "invalid",
    text: "The flag --isolation names isolators that are not there",
    hint: "Take the names out, or load the plugins that bring these isolators.",
  },
  TEPUI_ISOLATION_UNAVAILABLE: {
    kind: "unavailable",
    text: "This host cannot give the isolation that --isolation names",
    hint: "Do as the text says, or take the isolator out of --isolation.",
  },
  TEPUI_CGROUP_FAILED: {
    kind: "internal",
    text: "A cgroup could not be changed",
    hint: "Check that the controller is mounted and that the agent runs as root; dmesg may say more.",
  },
  TEPUI_IMAGE_NOT_FOUND: {
    kind: "not-found",
    text: "The image does not exist",
    hint: "Check its name and tag, and that the registry has it.",
  },
  TEPUI_IMAGE_PULL_FAILED: {
    kind: "unavailable",
    text: "The image could not be pulled",
    hint: "Check that the agent's host reaches the registry, and the credentials in --docker_config.",
  },
  TEPUI_IMAGE_INVALID: {
    kind: "invalid",
    text: "The image cannot be used",
    hint: "Build it again, or correct its name, as the text says.",
  },
  TEPUI_SECCOMP_PROFILE_INVALID: {
    kind: "invalid",
    text: "A seccomp profile cannot be used",
    hint: "Correct the profile, or the name of it that the task gives, as the text says.",
  },
  TEPUI_SECRET_UNRESOLVED: {
    kind: "not-found",
    text: "A secret cannot be resolved",
    hint: "Give its value, or load a secret resolver that knows it.",
  },
  TEPUI_CONTAINERIZER_UNKNOWN: {
    kind: "invalid",
    text: "--containerizers names what does not exist",
    hint: "Name those that the text lists, or load the plugin that brings the missing one.",
  },
  TEPUI_DOCKER_UNAVAILABLE: {
    kind: "unavailable",
    text: "The Docker engine cannot be used",
    hint: "Start the Docker daemon, name its socket with --docker_socket, or leave docker out of --containerizers.",
  },
  TEPUI_CONTAINER_REQUEST_INVALID: {
    kind: "invalid",
    text: "The container cannot be handled so",
    hint: "Correct the request as the text says; sending it again changes nothing.",
  },
  TEPUI_CONTAINER_INPUT_TAKEN: {
    kind: "conflict",
    text: "The container's input is attached already",
    hint: "One at a time can write into a container; try again when the other has detached.",
  },
  TEPUI_CONTAINER_READER_SLOW: {
    kind: "unavailable",
    text: "The reader of a container's output does not keep up",
    hint: "Attach again and read faster; what was missed is in the sandbox's stdout and stderr.",
  },
  TEPUI_CONTAINER_UNKNOWN: {
    kind: "not-found",
    text: "Container cannot be found",
    hint: "It may have ended; the agent's /containers lists those that run.",
  },
  TEPUI_FILE_UNKNOWN: {
    kind: "not-found",
    text: "There is no such file",
    hint: "The endpoint /files/debug lists what is served.",
  },
  TEPUI_FILE_REQUEST_INVALID: {
    kind: "invalid",
    text: "The file cannot be read so",
    hint: "Correct the request as the text says; sending it again changes nothing.",
  },
  TEPUI_FETCH_FAILED: {
    kind: "internal",
    text: "Failed to fetch",
    hint: "Check that the URI can be read from the agent's host, by the task's user where it is a file.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;
