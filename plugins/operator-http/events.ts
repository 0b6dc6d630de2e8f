import { type Event, Event_Type } from "../../proto/gen/mesos/v1/master/master.js";
import type { FrameworkRecord, MasterWatcher } from "../../sdk/contracts/master-view.js";
import { agentOf, frameworkOf, time } from "./state.js";

/** Changes of the master as the events of the operator API. */
export function eventsOf(tell: (make: () => Event) => void): Omit<MasterWatcher, "deposed"> {
  return {
    taskAdded: (task) => tell(() => ({ type: Event_Type.TASK_ADDED, task_added: { task } })),
    taskUpdated: ({ framework_id, state }, status) =>
      tell(() => ({ type: Event_Type.TASK_UPDATED, task_updated: { framework_id, status, state } })),
    frameworkAdded: (framework) =>
      tell(() => ({ type: Event_Type.FRAMEWORK_ADDED, framework_added: { framework: changed(framework) } })),
    frameworkUpdated: (framework) =>
      tell(() => ({
        type: Event_Type.FRAMEWORK_UPDATED,
        framework_updated: { framework: changed(framework) },
      })),
    frameworkRemoved: (framework_info) =>
      tell(() => ({ type: Event_Type.FRAMEWORK_REMOVED, framework_removed: { framework_info } })),
    agentAdded: (agent) =>
      tell(() => ({ type: Event_Type.AGENT_ADDED, agent_added: { agent: agentOf(agent) } })),
    agentRemoved: (value) =>
      tell(() => ({ type: Event_Type.AGENT_REMOVED, agent_removed: { agent_id: { value } } })),
  };
}

/** In events, unlike in answers, every time is there, and nothing of offers. */
function changed(record: FrameworkRecord) {
  const { registeredTime, reregisteredTime = registeredTime, unregisteredTime } = record;
  return {
    ...frameworkOf(record),
    reregistered_time: time(reregisteredTime),
    unregistered_time: time(unregisteredTime),
    offers: [],
    inverse_offers: [],
    offer_constraints: undefined,
  };
}
