import {
  FrameworkErrorMessage,
  FrameworkRegisteredMessage,
} from "../../../proto/gen/mesos/internal/messages.js";
import { type Call, Call_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { isTepuiError, messageOf } from "../../../sdk/errors/index.js";
import { MASTER_ACTOR } from "../constants.js";
import { type MasterContext, nowSeconds } from "../context.js";
import type { Framework } from "../frameworks/framework.js";
import type { Frameworks } from "../frameworks/frameworks.js";
import type { SchedulerCalls } from "../frameworks/scheduler-calls.js";
import type { Subscriptions } from "../frameworks/subscription.js";
import { validateCall } from "../validation/call.js";
import type { DriverRequest } from "./driver-calls.js";
import { DriverConnection } from "./driver-connection.js";

export interface SchedulerDriversDeps {
  readonly context: MasterContext;
  readonly frameworks: Frameworks;
  readonly subscriptions: Subscriptions;
  readonly calls: SchedulerCalls;
}

/**
 * Schedulers on the v0 driver, which speak libprocess: gives each a connection like any other scheduler's, and turns its requests into
 * calls.
 *
 * A driver is identified by its address. It is only told of a refusal if it would otherwise wait in vain, and then aborts. Anything else
 * that is invalid is dropped, as libprocess messages are.
 */
export class SchedulerDrivers {
  constructor(private readonly deps: SchedulerDriversDeps) {}

  /** @returns what is wrong, if the request is dropped */
  take(from: string, request: DriverRequest): string | undefined {
    const { principals } = this.deps.context.metrics;
    const framework = this.deps.context.cluster.frameworks.get(frameworkOf(request) ?? "");
    const principal = framework?.pid === from ? framework.info.principal : undefined;
    principals.received(principal);
    const problem = this.obey(from, request);
    principals.processed(principal);
    return problem;
  }

  private obey(from: string, request: DriverRequest): string | undefined {
    if ("error" in request) {
      this.refuse(from, request.error);
      return undefined;
    }
    if ("deactivate" in request) return this.deactivate(from, request.deactivate.value ?? "");
    const { call, force = false } = request;
    const problem = validateCall(call);
    if (problem !== undefined) return problem;
    return call.type === Call_Type.SUBSCRIBE ? this.subscribe(from, call, force) : this.call(from, call);
  }

  private subscribe(from: string, call: Call, force: boolean): string | undefined {
    const { context, subscriptions } = this.deps;
    const { cluster, clock, random, transport } = context;
    const id = call.framework_id?.value ?? "";
    const here = [...cluster.frameworks.values()].find(({ pid }) => pid === from);
    if (id !== "" && here !== undefined && here.id !== id) return `framework ${here.id} is at this address`;
    if (id === "" && here !== undefined) {
      // It missed the answer, and asks again.
      if (here.connected) this.registered(from, here);
      else this.subscribe(from, named(call, here), true);
      return undefined;
    }
    const known = cluster.frameworks.get(id);
    const again = known !== undefined && !known.recovered && !force;
    if (again && known.pid !== from) {
      // There were two instances of it, and the other one has taken over.
      this.refuse(from, "Framework failed over");
      return undefined;
    }
    const connection = new DriverConnection({
      pid: from,
      again,
      transport,
      agentPid: (agentId) => cluster.agents.get(agentId ?? "")?.pid,
      now: () => nowSeconds({ clock }),
    });
    try {
      const streamId = random.uuid();
      const session = subscriptions.subscribe({
        call,
        principal: undefined,
        connection,
        streamId,
        pid: from,
      });
      connection.watch(() => {
        session.disconnected();
        // If the driver is there after all, it must not wait for offers that will never come.
        this.refuse(from, "Framework disconnected");
      });
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      this.refuse(from, messageOf(error));
    }
    return undefined;
  }

  private call(from: string, call: Call): string | undefined {
    const framework = this.caller(from, call.framework_id?.value ?? "");
    if (typeof framework === "string") return framework;
    if (framework.stream === undefined) {
      this.refuse(from, "Framework disconnected");
      return undefined;
    }
    if (call.type === Call_Type.ACKNOWLEDGE_OPERATION_STATUS || call.type === Call_Type.RECONCILE_OPERATIONS)
      return `'${Call_Type[call.type]}' is not supported by the v0 API`;
    const { streamId } = framework.stream;
    try {
      const done = this.deps.calls.call({ call, principal: framework.info.principal, streamId });
      // Only UPDATE_FRAMEWORK completes asynchronously.
      done?.catch((error: unknown) => this.refuse(from, messageOf(error)));
    } catch (error) {
      if (!isTepuiError(error)) throw error;
      return messageOf(error);
    }
    return undefined;
  }

  /** The driver was aborted: it wants no more offers, but its tasks go on. */
  private deactivate(from: string, frameworkId: string): string | undefined {
    this.deps.context.metrics.counters.messages_deactivate_framework.inc();
    const framework = this.caller(from, frameworkId);
    if (typeof framework === "string") return framework;
    if (framework.connected) this.deps.frameworks.deactivate(framework, { rescind: true });
    return undefined;
  }

  /** The framework whose driver has this address, or why there is none. */
  private caller(from: string, frameworkId: string): Framework | string {
    const framework = this.deps.context.cluster.frameworks.get(frameworkId);
    if (framework === undefined) return "Framework cannot be found";
    return framework.pid === from ? framework : "Call is not from registered framework";
  }

  private registered(to: string, { idMessage }: Framework): void {
    const { transport, info } = this.deps.context;
    const body = FrameworkRegisteredMessage.encode({ framework_id: idMessage, master_info: info }).finish();
    transport.send(to, { from: MASTER_ACTOR, name: "mesos.internal.FrameworkRegisteredMessage", body });
  }

  private refuse(to: string, message: string): void {
    const { transport, logger } = this.deps.context;
    logger.info({ to, reason: message }, "Telling the driver of a scheduler to end");
    const body = FrameworkErrorMessage.encode({ message }).finish();
    transport.send(to, { from: MASTER_ACTOR, name: "mesos.internal.FrameworkErrorMessage", body });
  }
}

function frameworkOf(request: DriverRequest): string | undefined {
  if ("error" in request) return undefined;
  return "deactivate" in request ? request.deactivate.value : request.call.framework_id?.value;
}

/** The same call, with the framework's id filled in. */
function named(call: Call, { idMessage }: Framework): Call {
  const subscribe = call.subscribe!;
  const framework_info = { ...subscribe.framework_info!, id: idMessage };
  return { ...call, framework_id: idMessage, subscribe: { ...subscribe, framework_info } };
}
