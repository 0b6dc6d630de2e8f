import assert from "node:assert/strict";
import { InverseOfferStatus_Status as Status } from "../../proto/gen/mesos/v1/allocator/allocator.js";
import { OfferConstraints } from "../../proto/gen/mesos/v1/scheduler/scheduler.js";
import type { Resources } from "../resources/index.js";
import {
  agentInfo,
  frameworkOptions,
  milliseconds,
  quota,
  resources,
  unavailability,
  usedBy,
} from "./allocator-text.js";
import { AGENT_CAPABILITIES, type MakeAllocator, plain, type Seen, World } from "./allocator-world.js";

/** `command word word key=value key=value`: values have no spaces. */
interface Command {
  readonly name: string;
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, string>;
}

/**
 * Plays the lines of a scenario to an allocator and says what comes of each. The commands are those of the `commands` table; resources
 * are texts without spaces, and `+` adds `revocable(cpus:1)`, `volume(role,id,mb)`, `shared(role,id,mb)` and `refined(a,a/b;cpus:1)`.
 */
export class AllocatorPlayer {
  readonly world: World;
  private readonly held: Seen[] = [];
  private readonly asked: string[] = [];

  constructor(make: MakeAllocator) {
    this.world = new World(make, ({ frameworkId, agents }) => {
      for (const agent of agents.keys()) this.asked.push(`${frameworkId} asked about ${agent}`);
    });
  }

  async play(line: string): Promise<readonly string[]> {
    const parts = line.split(/\s+/).filter((part) => part !== "");
    const options = new Map<string, string>();
    const words: string[] = [];
    for (const part of parts.slice(1)) {
      const [, key, value] = /^([a-z]+)=(.*)$/.exec(part) ?? [];
      if (key !== undefined && value !== undefined) options.set(key, value);
      else words.push(part);
    }
    const command = this.commands[parts[0] ?? ""];
    assert.ok(command !== undefined, `a command of scenarios: ${line}`);
    return (await command({ name: parts[0]!, words, options })) ?? [];
  }

  private readonly commands: Readonly<Record<string, (command: Command) => Outcome | Promise<Outcome>>> = {
    /** framework ID roles=a,b caps=X,Y suppressed=a inactive=yes least=role/cpus:1 constraints=JSON */
    framework: ({ words: [id = ""], options }) => this.world.addFramework(id, frameworkOptions(options)),
    update: ({ words: [id = ""], options }) =>
      this.world.allocator.updateFramework(this.world.framework(id, frameworkOptions(options))),
    activate: ({ words: [id = ""] }) => this.world.allocator.activateFramework(id),
    deactivate: ({ words: [id = ""] }) => this.world.allocator.deactivateFramework(id),
    leave: ({ words: [id = ""] }) => {
      this.world.allocator.removeFramework(id);
      this.forget(({ framework }) => framework === id);
    },
    /** agent ID RESOURCES region=R rack=R old=yes used=FRAMEWORK:ROLE:RESOURCES down=SECONDS */
    agent: ({ words: [id = "", total = ""], options }) => {
      this.world.allocator.addAgent({
        id,
        info: agentInfo(id, options),
        capabilities: options.has("old") ? [] : AGENT_CAPABILITIES,
        total: resources(total),
        used: usedBy(options.get("used")),
        unavailability: unavailability(options.get("down")),
      });
    },
    total: ({ words: [id = "", total = ""] }) =>
      this.world.allocator.updateAgent({ id, total: resources(total) }),
    attributes: ({ words: [id = ""], options }) =>
      this.world.allocator.updateAgent({ id, info: agentInfo(id, options) }),
    provider: ({ words: [agentId = "", total = ""], options }) =>
      this.world.allocator.addResourceProvider({
        agentId,
        total: resources(total),
        used: usedBy(options.get("used")),
      }),
    "agent-off": ({ words: [id = ""] }) => this.world.allocator.deactivateAgent(id),
    "agent-on": ({ words: [id = ""] }) => this.world.allocator.activateAgent(id),
    "agent-gone": ({ words: [id = ""] }) => {
      this.world.allocator.removeAgent(id);
      this.forget(({ agent }) => agent === id);
    },
    /** What comes of the time that passes: `wait 500ms`, `wait 3s`. */
    wait: async ({ words: [time = ""] }) => {
      const offers = await this.world.during(milliseconds(time));
      this.held.push(...offers);
      const lines = offers.map(
        ({ framework, role, agent, resources: offered }) =>
          `${framework} ${role} ${agent} ${sorted(offered)}`,
      );
      return [...lines.sort(), ...this.asked.splice(0).sort()];
    },
    /** How many offers of whom come of the time that passes, where it is left to chance which. */
    count: async ({ words: [time = ""] }) => {
      const offers = await this.world.during(milliseconds(time));
      this.held.push(...offers);
      const counts = new Map<string, number>();
      for (const { framework, role } of offers) {
        counts.set(`${framework} ${role}`, (counts.get(`${framework} ${role}`) ?? 0) + 1);
      }
      return Array.from(counts, ([who, count]) => `${who} ${count}`).sort();
    },
    /** Gives back all offers that a framework has, or those of one agent: `decline F A for=5`; without `for` there is no filter. */
    decline: ({ words: [id, agentId], options }) => {
      const seconds = options.get("for");
      for (const offer of this.take(id, agentId)) {
        this.world.giveBack(offer, seconds === undefined ? undefined : Number(seconds));
      }
    },
    /** Gives back a part of what is offered. */
    return: ({ words: [id = "", agentId = "", part = ""], options }) => {
      const [offer] = this.take(id, agentId);
      assert.ok(offer !== undefined, `an offer to ${id} of ${agentId}`);
      const given = resources(part).allocate(offer.role);
      this.held.push({ ...offer, resources: offer.resources.subtract(given) });
      const seconds = options.get("for");
      this.world.giveBack(
        { ...offer, resources: given },
        seconds === undefined ? undefined : Number(seconds),
      );
    },
    /** All that is offered to a framework on an agent is in use from now on. */
    use: ({ words: [id = "", agentId = ""] }) => {
      for (const offer of this.held.filter(({ framework, agent }) => framework === id && agent === agentId)) {
        this.world.allocator.transition({ frameworkId: id, agentId, resources: offer.resources });
      }
    },
    /** convert FRAMEWORK AGENT ROLE FROM TO */
    convert: ({ words: [frameworkId = "", agentId = "", role = "", from = "", to = ""] }) => {
      const consumed = resources(from).allocate(role);
      const converted = resources(to).allocate(role);
      this.world.allocator.updateAllocation({ frameworkId, agentId, conversions: [{ consumed, converted }] });
      const index = this.held.findIndex(
        (one) => one.framework === frameworkId && one.agent === agentId && one.role === role,
      );
      const offer = this.held[index];
      if (offer !== undefined) {
        this.held[index] = { ...offer, resources: offer.resources.subtract(consumed).add(converted) };
      }
    },
    /** convert-free AGENT FROM TO */
    "convert-free": ({ words: [agentId = "", from = "", to = ""] }) => {
      const conversions = [{ consumed: resources(from), converted: resources(to) }];
      return [this.world.allocator.updateAvailable({ agentId, conversions }) ? "done" : "not free"];
    },
    suppress: ({ words: [id = "", ...roles] }) => this.world.allocator.suppress(id, roles),
    revive: ({ words: [id = "", ...roles] }) => this.world.allocator.revive(id, roles),
    weight: ({ words: [role = "", weight = ""] }) =>
      this.world.allocator.updateWeights(new Map([[role, Number(weight)]])),
    /** quota ROLE guarantee=cpus:1;mem:2 limit=cpus:3 */
    quota: ({ words: [role = ""], options }) => this.world.allocator.updateQuota(role, quota(options)),
    whitelist: ({ words }) =>
      this.world.allocator.updateWhitelist(words[0] === "none" ? undefined : new Set(words)),
    pause: () => this.world.allocator.pause(),
    resume: () => this.world.allocator.resume(),
    /** After a failover: recover-cluster AGENTS ROLE guarantee=... limit=... */
    "recover-cluster": ({ words: [agents = "", role], options }) =>
      this.world.allocator.recoverCluster({
        expectedAgents: Number(agents),
        quotas: new Map(role === undefined ? [] : [[role, quota(options)]]),
      }),
    /** Maintenance: `down AGENT SECONDS`, `down AGENT never`. */
    down: ({ words: [agentId = "", start = ""] }) =>
      this.world.allocator.updateUnavailability(
        agentId,
        start === "never" ? undefined : unavailability(start),
      ),
    /** answer FRAMEWORK AGENT accept|decline|nothing for=SECONDS */
    answer: ({ words: [frameworkId = "", agentId = "", word = ""], options }) => {
      const seconds = options.get("for");
      const status = word === "accept" ? Status.ACCEPT : word === "decline" ? Status.DECLINE : undefined;
      this.world.allocator.updateInverseOffer({
        agentId,
        frameworkId,
        status: status === undefined ? undefined : { status, framework_id: { value: frameworkId } },
        filters: seconds === undefined ? undefined : { refuse_seconds: Number(seconds) },
      });
    },
    answers: () =>
      Array.from(this.world.allocator.inverseOfferStatuses()).flatMap(([agent, answers]) =>
        Array.from(
          answers,
          ([framework, { status }]) =>
            `${agent} ${framework} ${status === Status.ACCEPT ? "accept" : "decline"}`,
        ),
      ),
    /** Why a framework gets no offers: `explain FRAMEWORK ROLE`. */
    explain: ({ words: [id = "", role] }) => {
      const explanation = this.world.allocator.explain(id, role);
      if (explanation === undefined) return ["unknown framework"];
      return explanation.roles.flatMap(({ role: name, reasons }) =>
        reasons.map(({ code, agents, examples, limits, heldFor }) => {
          const figures = [...(limits ?? []), ...(heldFor ?? [])].map(
            (figure) => `${figure.role}/${figure.resource}:${figure.consumed / 1000}/${figure.bound / 1000}`,
          );
          return [name, code, ...(agents > 0 ? [agents, examples.join(",")] : []), ...figures].join(" ");
        }),
      );
    },
    "excluded-by-constraints": ({ words: [id = "", role = ""] }) =>
      this.world.allocator.excludedByConstraints(id, role),
    /** What is wrong with offer constraints. */
    constraints: ({ words: [json = ""] }) => [
      this.world.allocator.validateOfferConstraints(OfferConstraints.fromPartial(JSON.parse(json))) ??
        "valid",
    ],
  };

  private take(framework: string | undefined, agent: string | undefined): Seen[] {
    return this.forget(
      (offer) =>
        (framework === undefined || offer.framework === framework) &&
        (agent === undefined || offer.agent === agent),
    );
  }

  private forget(which: (offer: Seen) => boolean): Seen[] {
    const gone = this.held.filter(which);
    const kept = this.held.filter((offer) => !which(offer));
    this.held.splice(0, this.held.length, ...kept);
    return gone;
  }
}

/** Most commands have none. */
// biome-ignore lint/suspicious/noConfusingVoidType: commands are calls, and most calls return nothing
type Outcome = readonly string[] | void;

/** The order of resources has no meaning. */
const sorted = (offered: Resources): string => plain(offered).split("; ").sort().join("; ");
