import type { Call } from "../../proto/gen/mesos/v1/executor/executor.js";
import type {
  ExecutorConnection,
  ExecutorService,
  ExecutorSession,
} from "../../sdk/contracts/executor-service.js";
import { TepuiError } from "../../sdk/errors/index.js";

/** Stands for the executor API before the agent exists: its resources are detected only when it starts. */
export class LateExecutorService implements ExecutorService {
  constructor(private readonly service: () => ExecutorService | undefined) {}

  ready(): boolean {
    return this.service()?.ready() === true;
  }

  validate(call: Call): void {
    this.require().validate(call);
  }

  subscribe(subscription: { call: Call; connection: ExecutorConnection }): ExecutorSession {
    return this.require().subscribe(subscription);
  }

  call(call: Call): void {
    this.require().call(call);
  }

  private require(): ExecutorService {
    const service = this.service();
    if (service === undefined) throw new TepuiError("TEPUI_AGENT_RECOVERING");
    return service;
  }
}
