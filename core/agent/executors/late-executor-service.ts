import type { Call } from "../../../proto/gen/mesos/v1/executor/executor.js";
import type {
  ExecutorClaims,
  ExecutorIdentity,
  ExecutorService,
  ExecutorSession,
  ExecutorSubscription,
} from "../../../sdk/contracts/executor-service.js";
import { TepuiError } from "../../../sdk/errors/index.js";

/** Stands in for the executor API before the agent exists, because its resources are only detected when it starts. */
export class LateExecutorService implements ExecutorService {
  constructor(private readonly service: () => ExecutorService | undefined) {}

  ready(): boolean {
    return this.service()?.ready() === true;
  }

  validate(call: Call): void {
    this.require().validate(call);
  }

  identify(authorization: string | undefined): ExecutorIdentity {
    return this.require().identify(authorization);
  }

  subscribe(subscription: ExecutorSubscription): ExecutorSession {
    return this.require().subscribe(subscription);
  }

  call(call: Call, claims?: ExecutorClaims): void | Promise<void> {
    return this.require().call(call, claims);
  }

  private require(): ExecutorService {
    const service = this.service();
    if (service === undefined) throw new TepuiError("TEPUI_AGENT_RECOVERING");
    return service;
  }
}
