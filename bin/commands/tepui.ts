import { Command, CommanderError, InvalidArgumentError } from "commander";
import { MESOS_VERSION } from "../../sdk/mesos-version.js";
import { parseDuration } from "../../sdk/values/index.js";
import type { PlaceOptions } from "../backup/places.js";
import { TEPUI_VERSION } from "../version.js";
import type { AgentContainersOptions } from "./agent-containers.js";
import { BAD_USAGE } from "./bad-usage.js";
import { taskCommand } from "./task/index.js";

const EXIT_CODES = `
Exit codes: 0 it is done, 1 it failed, 2 the command line is wrong. master, agent, local and execute,
which take Mesos's flags, exit with 1 for a wrong flag, too; task exec exits as the command does.`;

const DAEMON_COMMANDS = [
  ["master", "run a master (flags of mesos-master)"],
  ["agent", "run an agent (flags of mesos-agent)"],
  ["execute", "run one task, show its states and its output"],
] as const;

/** Notes the exit code that a command resolves to. */
type SetExitCode = (work: Promise<number>) => Promise<void>;

/** `tepui ...`, other than the daemons and `execute`. Resolves to the exit code. Each command loads only what it needs. */
export async function runTepui(argv: readonly string[]): Promise<number> {
  let code = 0;
  const set: SetExitCode = (work) =>
    work.then((value) => {
      code = value;
    });
  const program = new Command("tepui")
    .description("A distributed-systems kernel, compatible with Apache Mesos, extended by plugins")
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText("after", EXIT_CODES)
    .enablePositionalOptions();
  addDaemons(program, set);
  addLocal(program, set);
  addExplain(program, set);
  program.addCommand(taskCommand(set));
  addBackupAndRestore(program, set);
  addPlugins(program, set);
  addManifest(program, set);
  program
    .command("version")
    .description("the version of Tepui, and of the Mesos interfaces that it serves")
    .action(() => {
      process.stdout.write(`tepui ${TEPUI_VERSION} (mesos ${MESOS_VERSION})\n`);
    });
  program.version(`tepui ${TEPUI_VERSION} (mesos ${MESOS_VERSION})`, "--version");
  throwInsteadOfExit(program);
  try {
    await program.parseAsync(understood(argv, program), { from: "user" });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : BAD_USAGE;
    throw error;
  }
}

function addDaemons(program: Command, set: SetExitCode): void {
  // These read their own flags, in Mesos's form, and are run before this parser: here they only stand in the list.
  const daemons = new Map(
    DAEMON_COMMANDS.map(([name, text]) => [name, program.command(name).description(text)]),
  );
  const { TEPUI_AGENT } = process.env;
  daemons
    .get("agent")!
    .command("containers")
    .description("list the containers of an agent that runs, those within others too")
    .option("--agent <host:port>", "the agent; also as TEPUI_AGENT", TEPUI_AGENT ?? "127.0.0.1:5051")
    .option("--json", "as the agent's API tells it")
    .action(async (options: AgentContainersOptions) => {
      const { runAgentContainers } = await import("./agent-containers.js");
      await set(runAgentContainers(options, process));
    });
}

function addLocal(program: Command, set: SetExitCode): void {
  program
    .command("local")
    .description("run a master and agents on this machine, each in a process of its own")
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .argument("[flags...]")
    .action(async (rest: string[]) => {
      const { runLocal } = await import("./local.js");
      await set(runLocal(rest));
    });
}

function addExplain(program: Command, set: SetExitCode): void {
  const { TEPUI_MASTER, MESOS_MASTER } = process.env;
  program
    .command("explain")
    .description("why a framework gets no offers, or fewer than it could, and what to do")
    .argument("<framework>", "id, unique end of an id, or name")
    .option("--role <role>", "in this role; else in all of the framework's")
    .option(
      "--master <host:port>",
      "a master, or several with commas; also as TEPUI_MASTER",
      TEPUI_MASTER ?? MESOS_MASTER ?? "127.0.0.1:5050",
    )
    .option("--json", "as JSON")
    .action(async (framework: string, options: { role?: string; master: string; json?: boolean }) => {
      const { runExplain } = await import("./explain.js");
      await set(runExplain({ framework, ...options }, process));
    });
}

function addBackupAndRestore(program: Command, set: SetExitCode): void {
  const place = "a work_dir, or the registry's URL: zk://..., etcd://..., or file:///path of a file with one";
  savesAndRestores(
    program.command("backup").description("save what a master or an agent must not forget, while it runs"),
  )
    .argument("<from>", `${place}; or http://... of a running master, also of Mesos's`)
    .argument("<file>", "the archive to make")
    .action(async (from: string, file: string, options: PlaceFlags) => {
      const { runBackup } = await import("./backup.js");
      await set(runBackup({ from, file, ...placeOptions(options) }, process));
    });
  savesAndRestores(
    program
      .command("restore")
      .description("check an archive of backup, and put back what is in it, there or elsewhere"),
  )
    .argument("<file>", "the archive")
    .argument("[to]", `${place}; without it the archive is only checked`)
    .option(
      "--force",
      "also where there is something already: directories are moved aside, registries replaced",
    )
    .action(async (file: string, to: string | undefined, options: PlaceFlags & { force?: boolean }) => {
      const { runRestore } = await import("./restore.js");
      const force = options.force === true;
      await set(runRestore({ file, to, force, ...placeOptions(options) }, process));
    });
}

function addPlugins(program: Command, set: SetExitCode): void {
  const plugins = program.command("plugins").description("what a daemon is made of");
  const daemonFlags = "flags of the daemon, such as --manifest=FILE, after --";
  const ofDaemon = (command: Command) =>
    command
      .option("--of <daemon>", "master or agent", daemonName, "master" as const)
      .option("--json", "as JSON")
      .argument("[flags...]", daemonFlags);
  ofDaemon(plugins.command("ls", { isDefault: true }).description("list the plugins")).action(
    async (flags: string[], options: PluginOptions) => {
      const { listPlugins } = await import("./plugins.js");
      await set(listPlugins(options, flags));
    },
  );
  plugins
    .command("inspect")
    .description("everything about one plugin")
    .argument("<name>")
    .argument("[flags...]", daemonFlags)
    .option("--of <daemon>", "master or agent", daemonName)
    .action(async (name: string, flags: string[], options: { of?: DaemonName }) => {
      const { inspectPlugin } = await import("./plugins.js");
      await set(inspectPlugin({ name, ...options }, flags));
    });
  ofDaemon(plugins.command("graph").description("who requires whom, in DOT or as JSON")).action(
    async (flags: string[], options: PluginOptions) => {
      const { graphPlugins } = await import("./plugins.js");
      await set(graphPlugins(options, flags));
    },
  );
}

function addManifest(program: Command, set: SetExitCode): void {
  const manifest = program.command("manifest").description("what flags and manifest files amount to");
  manifest
    .command("explain")
    .description("the effective manifest, and where each value comes from")
    .argument("<daemon>", "master or agent", daemonName)
    .argument("[flags...]", "flags of the daemon")
    .option("--json", "as JSON")
    .option("--all", "settings left at their default, too")
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (daemon: DaemonName, flags: string[], options: { json?: boolean; all?: boolean }) => {
      const { explainManifest } = await import("./manifest.js");
      // What is written behind the daemon's name is for the daemon, but for what no daemon knows.
      const own = (name: string): boolean => flags.includes(`--${name}`);
      const { json = own("json"), all = own("all") } = options;
      const rest = flags.filter((flag) => flag !== "--json" && flag !== "--all");
      await set(explainManifest(daemon, rest, { json, all }));
    });
  manifest
    .command("validate")
    .description("every problem of a manifest file; nothing is started")
    .argument("<file>")
    .action(async (file: string) => {
      const { validateManifest } = await import("./manifest.js");
      await set(validateManifest(file));
    });
}

function throwInsteadOfExit(command: Command, path = command.name()): void {
  command.exitOverride().showHelpAfterError(`see '${path} --help'`);
  for (const one of command.commands) throwInsteadOfExit(one, `${path} ${one.name()}`);
}

/** Nothing at all asks for help; help for a command that does not exist does not. */
function understood(argv: readonly string[], program: Command): string[] {
  const [first] = argv;
  if (first === undefined) return ["--help"];
  const known = first.startsWith("-") || program.commands.some((command) => command.name() === first);
  return known ? [...argv] : [first];
}

interface PlaceFlags {
  readonly timeout?: number;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

function savesAndRestores(command: Command): Command {
  return command
    .option(
      "--timeout <duration>",
      "how long servers may take, or a directory may change; default 30secs",
      durationArgument,
    )
    .option("--ca-file <file>", "of etcds:// URLs: certificates that sign those of the servers")
    .option("--cert-file <file>", "of etcds:// URLs: the own certificate")
    .option("--key-file <file>", "of etcds:// URLs: the key of the own certificate");
}

const placeOptions = ({
  timeout = 30_000,
  caFile: ca,
  certFile: cert,
  keyFile: key,
}: PlaceFlags): PlaceOptions => ({
  timeout,
  tls: { ca, cert, key },
});

function durationArgument(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    throw new InvalidArgumentError("It is a duration, such as 30secs.");
  }
}

export type DaemonName = "master" | "agent";

interface PluginOptions {
  readonly of: DaemonName;
  readonly json?: boolean;
}

function daemonName(text: string): DaemonName {
  if (text === "master" || text === "agent") return text;
  throw new InvalidArgumentError("There are master and agent.");
}
