import assert from "node:assert/strict";
import type { Resource, ResourceUsage, ResourceUsage_Executor } from "../../proto/gen/mesos/v1/mesos.js";
import type { QoSController } from "../contracts/qos-controller.js";
import { casesOf, type SuiteCase } from "./suite-case.js";

export interface QoSControllerSubject {
  readonly controller: QoSController;
  /** Makes the trouble in which it acts; absent: it never does. */
  disturb?(): void;
  /** Ends the trouble. */
  calm?(): void;
  close?(): Promise<unknown>;
}

export type MakeQoSController = () => Promise<QoSControllerSubject>;

const cpus = (value: number, revocable: boolean): Resource => ({
  name: "cpus",
  type: 0,
  scalar: { value },
  reservations: [],
  allocation_info: { role: "web" },
  ...(revocable && { revocable: {} }),
});

const executor = (id: string, revocable: boolean): ResourceUsage_Executor => ({
  executor_info: { executor_id: { value: id }, framework_id: { value: "framework" }, resources: [] },
  container_id: { value: `container-${id}` },
  allocated: [cpus(1, revocable)],
  tasks: [],
});

const usageOf = (...executors: ResourceUsage_Executor[]): ResourceUsage => ({ executors, total: [] });

/** Of nothing where there is no answer yet, as from a controller that waits. */
const now = <T>(answer: Promise<readonly T[]>): Promise<readonly T[]> =>
  Promise.race([answer, new Promise<readonly T[]>((resolve) => setImmediate(() => resolve([])))]);

/** What any QoSController must do. Every case gets one of its own. */
export function qosControllerSuite(make: MakeQoSController): SuiteCase[] {
  const test = casesOf(make);
  const both = async () => usageOf(executor("owner", false), executor("guest", true));
  return [
    test("leaves all alone while there is no trouble", async ({ controller }) => {
      assert.deepEqual(await now(controller.corrections(both)), []);
    }),
    test("in trouble ends who runs on lent resources, and nobody else", async ({ controller, disturb }) => {
      disturb?.();
      const corrections = await now(controller.corrections(both));
      const ended = corrections.map(({ kind, frameworkId, executorId }) => [kind, frameworkId, executorId]);
      assert.deepEqual(ended, disturb === undefined ? [] : [["kill", "framework", "guest"]]);
      for (const { containerId } of corrections)
        assert.ok(containerId === undefined || containerId === "container-guest", `ends ${containerId}`);
    }),
    test("in trouble has nothing to end where nothing is lent", async ({ controller, disturb }) => {
      disturb?.();
      const owner = async () => usageOf(executor("owner", false));
      assert.deepEqual(await now(controller.corrections(owner)), []);
      assert.deepEqual(await now(controller.corrections(async () => usageOf())), []);
    }),
    test("stops when the trouble is over", async ({ controller, disturb, calm }) => {
      disturb?.();
      await now(controller.corrections(both));
      calm?.();
      if (calm !== undefined) assert.deepEqual(await now(controller.corrections(both)), []);
    }),
  ];
}
