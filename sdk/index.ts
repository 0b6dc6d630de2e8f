/**
 * `tepui/sdk`: what authors of plugins, frameworks and executors import. Clients load their transports (undici, grpc-js) when they first
 * connect, so importing this costs neither.
 */
export {
  type AgentInfo,
  type CommandInfo,
  type ContainerInfo,
  type ExecutorInfo,
  type Filters,
  type FrameworkInfo,
  FrameworkInfo_Capability_Type as FrameworkCapability,
  type InverseOffer,
  type MasterInfo,
  type Offer,
  Offer_Operation_Type as OperationType,
  type Resource,
  type TaskGroupInfo,
  type TaskInfo,
  TaskState,
  type TaskStatus,
  TaskStatus_Reason as TaskReason,
  TaskStatus_Source as TaskSource,
} from "../proto/gen/mesos/v1/mesos.js";
export { attributesFromJson, attributesJson, attributeText, parseAttributes } from "./attributes/index.js";
export {
  AddressError,
  type AddressInput,
  AuthenticationError,
  type BackoffOptions,
  CallRefusedError,
  type DaemonAddress,
  type EventHandler,
  ForbiddenError,
  type IdInput,
  NotLeaderError,
  NotSubscribedError,
  type PartialMessage,
  ProtocolError,
  type TlsOptions,
  UnavailableError,
  UnreachableError,
} from "./client/index.js";
export { type AgentContainer, AgentContainers, type ContainerLaunch } from "./contracts/agent-containers.js";
export {
  type AgentExecutorView,
  type AgentFrameworkView,
  AgentView,
  type ContainerUsageView,
} from "./contracts/agent-view.js";
export {
  Allocator,
  type AllocatorAgent,
  type AllocatorCallbacks,
  type AllocatorFramework,
  type Conversion,
  type OfferedByAgent,
  type ResourceRecovery,
  type RoleQuota,
} from "./contracts/allocator.js";
export type {
  FairShare,
  FrameworkExplanation,
  NoOfferCode,
  NoOfferReason,
  QuotaFigure,
  RoleExplanation,
} from "./contracts/allocator-explanation.js";
export {
  Checker,
  type CheckOutcome,
  type CheckSpec,
  type CheckTarget,
  type PreparedCheck,
  type Repetition,
} from "./contracts/checker.js";
export { Clock, type Timer } from "./contracts/clock.js";
export { type ContainerIo, ContainerLogger, type ContainerOutput } from "./contracts/container-logger.js";
export {
  type ContainerExit,
  type ContainerInput,
  Containerizer,
  type ContainerRequest,
  type ContainerStreams,
  type ContainerTermination,
  type EnclosingContainer,
  type OutputChunk,
  type PendingOperation,
  type RecoverableContainer,
  type TaskFeature,
} from "./contracts/containerizer.js";
export type {
  ContainerMount,
  Contribution,
  DeviceAccess,
  DeviceNode,
  Namespace,
  ResourceLimit,
  RootFilesystem,
} from "./contracts/contribution.js";
export { type Candidacy, Election } from "./contracts/election.js";
export {
  type ExecutorClaims,
  type ExecutorConnection,
  type ExecutorIdentity,
  ExecutorService,
  type ExecutorSession,
  type ExecutorSubscription,
} from "./contracts/executor-service.js";
export { Fetcher, type FetchRequest, type FetchSource } from "./contracts/fetcher.js";
export { Files } from "./contracts/files.js";
export {
  type ConnectionTaker,
  type HttpReply,
  type HttpRequest,
  type HttpRoute,
  HttpServer,
  type ReplyStream,
  type RequestTaker,
} from "./contracts/http-server.js";
export {
  type ImageConfig,
  ImageStore,
  type ProvisionedImage,
  Provisioner,
  RootfsBackend,
  type StoredImage,
} from "./contracts/image.js";
export { type ContainerLimitation, type ContainerUpdate, Isolator } from "./contracts/isolator.js";
export {
  type LaunchedProcess,
  Launcher,
  type LaunchPlan,
  type PlannedSwitchboard,
} from "./contracts/launcher.js";
export { LogVerbosity } from "./contracts/log-verbosity.js";
export { type LogFields, Logger, type LogLevel, type LogMethod } from "./contracts/logger.js";
export {
  type AgentRecord,
  type ExecutorRecord,
  type FrameworkRecord,
  MasterView,
  type MasterWatcher,
  type RoleRecord,
} from "./contracts/master-view.js";
export {
  type InboundMessage,
  type MessageReceiver,
  MessageTransport,
  type OutboundMessage,
} from "./contracts/message-transport.js";
export { type Counter, Metrics, type MetricTimer } from "./contracts/metrics.js";
export {
  type AgentDrain,
  type OperatorAgents,
  type OperatorMaintenance,
  type OperatorOperation,
  OperatorService,
} from "./contracts/operator-service.js";
export {
  type PluginDescription,
  PluginDirectory,
  type PluginEdge,
  type PluginGraph,
  type PluginSource,
  type PluginState,
} from "./contracts/plugin-directory.js";
export { QoSController, type QoSCorrection } from "./contracts/qos-controller.js";
export { Random } from "./contracts/random.js";
export { Registry, type RegistryOperation } from "./contracts/registry.js";
export { type DetectionRequest, ResourceDetector } from "./contracts/resource-detector.js";
export { type MeasureUsage, ResourceEstimator } from "./contracts/resource-estimator.js";
export { SandboxFetch } from "./contracts/sandbox-fetch.js";
export {
  type Leadership,
  type SchedulerConnection,
  type SchedulerRequest,
  SchedulerService,
  type SchedulerSession,
  type SchedulerSubscription,
} from "./contracts/scheduler-service.js";
export { SecretResolver } from "./contracts/secret-resolver.js";
export { Settings } from "./contracts/settings.js";
export { SystemClock } from "./contracts/system-clock.js";
export { SystemRandom } from "./contracts/system-random.js";
export {
  type ErrorCode,
  type ErrorKind,
  errnoOf,
  isTepuiError,
  messageOf,
  TepuiError,
  type TepuiErrorOptions,
} from "./errors/index.js";
export {
  ExecutorClient,
  type ExecutorClientOptions,
  type ExecutorEnvironment,
  type ExecutorEvent,
  type ExecutorEventOf,
  ExecutorRefusedError,
  type ExecutorStream,
  type ExecutorTransport,
  executorEnvironment,
  type StatusInput,
} from "./executor/index.js";
export type { MessageFormat } from "./http/index.js";
export { MAX_CONTAINER_ID_BYTES, MAX_ID_BYTES, validateContainerId, validateId } from "./ids/index.js";
export { makeTask } from "./make-task.js";
export {
  type AnyExtensionPoint,
  bytesText,
  type Cardinality,
  type Dependencies,
  definePlugin,
  durationText,
  type ExtensionPoint,
  extensionPoint,
  type FailurePolicy,
  type Host,
  type KeyOptions,
  type Lifecycle,
  moduleParameters,
  optional,
  type PluginContext,
  type PluginDefinition,
  type PluginSpec,
  type Requirements,
  type Target,
  z,
} from "./plugin/index.js";
export {
  findResources,
  parseQuantities,
  parseResources,
  popReservation,
  pushReservation,
  type Quantities,
  ResourceEntry,
  ResourceKind,
  Resources,
  type Result,
} from "./resources/index.js";
export {
  ancestorsOf,
  isInSubtree,
  isStrictSubrole,
  parentOf,
  validateRole,
  validateRoles,
} from "./roles/index.js";
export {
  type ExecutorTarget,
  FrameworkFailedOverError,
  type FrameworkInput,
  FrameworkRefusedError,
  FrameworkRemovedError,
  type FrameworkUpdate,
  type KillOptions,
  type OfferInput,
  type ReconcileOperation,
  type ReconcileTask,
  resourceList,
  SchedulerClient,
  type SchedulerClientOptions,
  type SchedulerEvent,
  type SchedulerEventOf,
  type SchedulerStream,
  type SchedulerTransport,
  type SubscribeRequest,
} from "./scheduler/index.js";
export { holdsResources, isTerminal } from "./task-states.js";
export {
  type Bytes,
  type Duration,
  formatBytes,
  formatDuration,
  formatPercent,
  formatRate,
  type Percent,
  parseBytes,
  parseDuration,
  parsePercent,
  parseRate,
  type Rate,
} from "./values/index.js";
