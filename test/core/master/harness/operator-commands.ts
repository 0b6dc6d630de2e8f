import {
  type MachineID,
  type Offer_Operation,
  Offer_Operation_Type as OperationType,
} from "../../../../proto/gen/mesos/v1/mesos.js";
import { jsonOf } from "../../../../proto/json/index.js";
import { durationToNs, parseDuration } from "../../../../sdk/values/index.js";
import { operationJson } from "./operation-text.js";
import { agentId, type Stage } from "./stage.js";
import type { Words } from "./words.js";

type Command = (stage: Stage, words: Words) => void | Promise<void>;

/**
 * What operators do.
 *
 *     operate A principal=ops + RESERVE disk:1024        (operation-text.ts)
 *     weights dev=2 ops=0
 *     quota force=true {"role":"dev","guarantees":{"cpus":{"value":1}},"limits":{}}
 *     set-quota {"role":"dev","guarantee":[...]}
 *     remove-quota dev
 *     teardown M-0000
 *     drain A grace=10secs gone=true
 *     deactivate A, reactivate A, gone A
 *     schedule A@100 B@200                              the machines of these agents, by when they will be down
 *     down A B, up A B                                  these machines
 */
export const OPERATOR_COMMANDS: Readonly<Record<string, Command>> = {
  operate: (stage, words) => {
    for (const part of words.parts) {
      const operation = jsonOf("mesos.v1.Offer.Operation").fromValue(operationJson(part)) as Offer_Operation;
      const { principal } = words.options;
      stage.master.master.operate({ agentId: agentId(stage, words.at(1)), operation, principal });
      stage.say(`accepted ${OperationType[operation.type ?? 0]}`);
    }
  },
  weights: async (stage, words) => {
    const weights = Object.entries(words.options).map(([role, weight]) => ({ role, weight: Number(weight) }));
    await stage.master.master.updateWeights(weights);
    for (const { role, weight } of stage.master.master.weights()) stage.say(`${role} ${weight}`);
  },
  quota: async (stage, words) => {
    const config = jsonOf("mesos.v1.quota.QuotaConfig").fromValue(words.json);
    await stage.master.master.updateQuota({ configs: [config], force: words.options.force === "true" });
  },
  "set-quota": async (stage, words) => {
    await stage.master.master.setQuota(jsonOf("mesos.v1.quota.QuotaRequest").fromValue(words.json));
  },
  "remove-quota": (stage, words) => stage.master.master.removeQuota(words.at(1)),
  drain: (stage, words) => {
    const { grace, gone } = words.options;
    const maxGracePeriod =
      grace === undefined ? undefined : { nanoseconds: durationToNs(parseDuration(grace)) };
    const id = agentId(stage, words.at(1));
    return stage.master.master.drainAgent({ agentId: id, maxGracePeriod, markGone: gone === "true" });
  },
  deactivate: (stage, words) => stage.master.master.deactivateAgent(agentId(stage, words.at(1))),
  reactivate: (stage, words) => stage.master.master.reactivateAgent(agentId(stage, words.at(1))),
  gone: (stage, words) => stage.master.master.markAgentGone(agentId(stage, words.at(1))),
  schedule: (stage, words) => {
    const windows = words.from(1).map((text) => {
      const [name = "", start = "1"] = text.split("@");
      const unavailability = { start: { nanoseconds: BigInt(start) } };
      return { machine_ids: [machineId(stage, name)], unavailability };
    });
    return stage.master.master.updateMaintenanceSchedule({ windows });
  },
  down: (stage, words) =>
    stage.master.master.startMaintenance(words.from(1).map((name) => machineId(stage, name))),
  up: (stage, words) =>
    stage.master.master.stopMaintenance(words.from(1).map((name) => machineId(stage, name))),
  teardown: (stage, words) => stage.master.master.teardown(words.at(1)),
};

/** The machine that an agent is on, or would be. */
function machineId(stage: Stage, name: string): MachineID {
  const [, ip = "10.9.9.9"] = /@(.*):/.exec(stage.agents.get(name)?.pid ?? "") ?? [];
  return { hostname: `host-${name}`, ip };
}
