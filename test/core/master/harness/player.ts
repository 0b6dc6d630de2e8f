import { isTepuiError, messageOf } from "../../../../sdk/errors/index.js";
import { parseDuration } from "../../../../sdk/values/index.js";
import { runAgentCommand } from "./agent-commands.js";
import { describeMessage } from "./describe.js";
import { MasterHarness } from "./master-harness.js";
import { OPERATOR_COMMANDS } from "./operator-commands.js";
import { resourcesOf } from "./resource-text.js";
import { SCHEDULER_COMMANDS } from "./scheduler-commands.js";
import { show } from "./show.js";
import { agentId, type Stage } from "./stage.js";
import { parseWords, type Words } from "./words.js";

/**
 * Plays a scenario: schedulers and agents by name, and everything that the master does as lines of text. Besides what schedulers and
 * agents do there is:
 *
 *     flags offer_timeout=30secs {more}        first of all
 *     offer F A role=dev cpus:1                the allocator offers that much, or all that is free
 *     inverse-offer F A start=1                the allocator asks F to do without A
 *     advance 15secs
 *     restart                                  another master takes over what the registry knows
 *     show agents                              (show.ts)
 */
export class Player {
  private flags: Readonly<Record<string, unknown>> = {};
  private stage: Stage | undefined;
  private readonly masters: string[] = [];
  private lines: string[] = [];

  /** Runs one command and gives what came of it. */
  async run(command: string): Promise<readonly string[]> {
    this.lines = [];
    const words = parseWords(this.expand(command));
    if (words.first === "flags") {
      const flags = Object.entries(words.options).map(([name, text]) => [name, natural(text)] as const);
      this.flags = { ...Object.fromEntries(flags), ...words.json };
      return [];
    }
    const stage = await this.open();
    try {
      await this.perform(stage, words);
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      this.lines.push(
        `${words.at(1)}: ${error.http} ${error.code.startsWith("TEPUI_OPERATOR") ? error.detail : messageOf(error)}`,
      );
    }
    await stage.master.settle();
    return this.lines.map((line) => this.abbreviate(line));
  }

  private async open(): Promise<Stage> {
    if (this.stage !== undefined) return this.stage;
    const master = new MasterHarness({ flags: this.flags });
    const say = (line: string) => void this.lines.push(line);
    const [streams, agents, frameworks, uuids] = [new Map(), new Map(), new Map(), new Map()];
    const stage: Stage = { master, streams, agents, frameworks, uuids, say };
    master.allocator.told = (line) => say(`allocator: ${line}`);
    master.transport.sent = (to, message) => {
      const [name, agent] = [...stage.agents].find(([, { pid }]) => pid === to) ?? [to, undefined];
      if (message.name !== "mesos.internal.PingSlaveMessage") say(`${name} <- ${describeMessage(message)}`);
      agent?.take(message);
    };
    await master.start();
    this.masters.push(master.master.id);
    this.stage = stage;
    return stage;
  }

  private async perform(stage: Stage, words: Words): Promise<void> {
    const { master } = stage;
    switch (words.first) {
      case "agent":
        runAgentCommand(stage, words);
        break;
      case "offer":
        master.allocator.offer({
          frameworkId: stage.frameworks.get(words.at(1)) ?? "",
          agentId: agentId(stage, words.at(2)),
          role: words.options.role ?? "dev",
          resources: words.at(3) === "" ? undefined : resourcesOf(words.at(3)),
        });
        break;
      case "inverse-offer": {
        const record = master.master.view.agent(agentId(stage, words.at(2)));
        const start = { nanoseconds: BigInt(words.options.start ?? 1) };
        master.allocator.inverseOffer(stage.frameworks.get(words.at(1)) ?? "", record?.id ?? "", { start });
        break;
      }
      case "advance":
        await master.clock.advance(parseDuration(words.at(1)));
        break;
      case "restart":
        await master.restart();
        this.masters.push(master.master.id);
        break;
      case "show":
        show(stage, words);
        break;
      default: {
        const command = OPERATOR_COMMANDS[words.first] ?? SCHEDULER_COMMANDS[words.first];
        if (command === undefined) throw new Error(`unknown command: ${words.first}`);
        await command(stage, words);
      }
    }
  }

  /** `M-S0` in a command is the id that it stands for. */
  private expand(text: string): string {
    return text.replace(/\b([MN])-(?=\d{4}|[SO]\d)/g, (all, letter: string) => {
      const master = this.masters[letter === "M" ? 0 : 1];
      return master === undefined ? all : `${master}-`;
    });
  }

  private abbreviate(text: string): string {
    const short = text.replaceAll(/\(allocated: ([^)]*)\)/g, "($1)");
    return this.masters.reduce((line, id, index) => line.replaceAll(id, "MN"[index] ?? `M${index}`), short);
  }
}

/** A flag in its natural form, as the daemon reads it. */
function natural(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^\d+$/.test(text) ? Number(text) : text;
}
