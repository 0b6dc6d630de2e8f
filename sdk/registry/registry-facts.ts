import {
  Registry,
  type Registry_GoneSlave,
  type Registry_Slave,
  type Registry_UnreachableSlave,
} from "../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";

/**
 * The registry's content, indexed by agent id. Insertion order is the order in which agents came to their list, which is the
 * order of the message. Messages in it are replaced, never changed in place.
 */
export interface RegistryFacts {
  master: MasterInfo | undefined;
  readonly admitted: Map<string, Registry_Slave>;
  readonly unreachable: Map<string, Registry_UnreachableSlave>;
  readonly gone: Map<string, Registry_GoneSlave>;
  /** All else: weights and quotas of roles, and what no operation changes. Replaced with every change. */
  rest: Registry;
}

/** A registry that nobody has written yet. */
export function emptyFacts(): RegistryFacts {
  return {
    master: undefined,
    admitted: new Map(),
    unreachable: new Map(),
    gone: new Map(),
    rest: Registry.fromPartial({}),
  };
}

/** The facts in a message of Mesos's registry; what it has besides is kept in `rest`. */
export function factsOf(state: Registry): RegistryFacts {
  const facts = emptyFacts();
  facts.master = state.master?.info;
  for (const agent of state.slaves?.slaves ?? []) facts.admitted.set(agent.info?.id?.value ?? "", agent);
  for (const agent of state.unreachable?.slaves ?? []) facts.unreachable.set(agent.id?.value ?? "", agent);
  for (const agent of state.gone?.slaves ?? []) facts.gone.set(agent.id?.value ?? "", agent);
  facts.rest = { ...state, master: undefined, slaves: undefined, unreachable: undefined, gone: undefined };
  return facts;
}

/** The facts as one message; a list that has nothing in it is absent. */
export function stateOf(facts: RegistryFacts): Registry {
  return {
    ...facts.rest,
    master: facts.master === undefined ? undefined : { info: facts.master },
    slaves: listOf(facts.admitted),
    unreachable: listOf(facts.unreachable),
    gone: listOf(facts.gone),
  };
}

function listOf<T>(agents: ReadonlyMap<string, T>): { slaves: T[] } | undefined {
  return agents.size === 0 ? undefined : { slaves: [...agents.values()] };
}
