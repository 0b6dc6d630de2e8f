import {
  Registry,
  type Registry_GoneSlave,
  type Registry_Slave,
  type Registry_UnreachableSlave,
} from "../../proto/gen/mesos/internal/registry.js";
import type { MasterInfo } from "../../proto/gen/mesos/v1/mesos.js";

/**
 * The content of the registry, indexed by agent id. Insertion order is the order in which agents were added to a list, and the order in the
 * message. Messages are replaced, never changed in place.
 */
export interface RegistryFacts {
  master: MasterInfo | undefined;
  readonly admitted: Map<string, Registry_Slave>;
  readonly unreachable: Map<string, Registry_UnreachableSlave>;
  readonly gone: Map<string, Registry_GoneSlave>;
  /** Everything else: weights and quotas of roles, and fields that no operation changes. Replaced at every change. */
  rest: Registry;
}

/** The facts of a registry that nobody has written to yet. */
export function emptyFacts(): RegistryFacts {
  return {
    master: undefined,
    admitted: new Map(),
    unreachable: new Map(),
    gone: new Map(),
    rest: Registry.fromPartial({}),
  };
}

/** The facts in Mesos's registry message; all its other fields are kept in `rest`. */
export function factsOf(state: Registry): RegistryFacts {
  const facts = emptyFacts();
  facts.master = state.master?.info;
  for (const agent of state.slaves?.slaves ?? []) facts.admitted.set(agent.info?.id?.value ?? "", agent);
  for (const agent of state.unreachable?.slaves ?? []) facts.unreachable.set(agent.id?.value ?? "", agent);
  for (const agent of state.gone?.slaves ?? []) facts.gone.set(agent.id?.value ?? "", agent);
  facts.rest = { ...state, master: undefined, slaves: undefined, unreachable: undefined, gone: undefined };
  return facts;
}

/** The facts as one message; empty lists are left out. */
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
