import assert from "node:assert/strict";
import { ExecutorInfo } from "../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../contracts/containerizer.js";
import type { Isolator } from "../contracts/isolator.js";
import { Resources } from "../resources/index.js";
import { casesOf, type SuiteCase } from "./suite-case.js";

export interface IsolatorSubject {
  readonly isolator: Isolator;
  /** An empty directory for the sandbox. */
  readonly directory: string;
  /** A process that lives during the case. */
  readonly pid: number;
  close(): Promise<void>;
}

export type MakeIsolator = () => Promise<IsolatorSubject>;

const CONTAINER = "0b6c3b5e-0000-4000-8000-000000000001";

function request(directory: string): ContainerRequest {
  const command = { value: "true", uris: [], arguments: [] };
  const resources = Resources.of([
    { name: "cpus", type: 0, scalar: { value: 0.5 }, reservations: [] },
    { name: "mem", type: 0, scalar: { value: 64 }, reservations: [] },
  ]);
  return {
    containerId: { value: CONTAINER },
    frameworkId: "framework",
    executorId: "task",
    task: undefined,
    executor: ExecutorInfo.fromPartial({ executor_id: { value: "task" }, command }),
    command,
    container: undefined,
    environment: { GIVEN: "yes" },
    user: undefined,
    resources,
    limits: {},
    directory,
    checkpoint: false,
  };
}

/** What any Isolator must do. Every case gets one of its own. */
export function isolatorSuite(make: MakeIsolator): SuiteCase[] {
  const test = casesOf(make);
  return [
    test("has a name as --isolation takes it", async ({ isolator }) => {
      assert.match(isolator.name, /^[a-z0-9][a-z0-9_/-]*$/);
    }),
    test("contributes plain data, and leaves the request as it was", async ({ isolator, directory }) => {
      const given = request(directory);
      const before = JSON.stringify({ ...given, resources: String(given.resources) });
      const contribution = await isolator.prepare?.(given);
      assert.equal(JSON.stringify({ ...given, resources: String(given.resources) }), before);
      if (contribution !== undefined)
        assert.deepEqual(JSON.parse(JSON.stringify(contribution)), structuredClone(contribution));
      await isolator.cleanup?.(CONTAINER);
    }),
    test("goes through the life of a container", async ({ isolator, directory, pid }) => {
      const given = request(directory);
      await isolator.prepare?.(given);
      await isolator.isolate?.(CONTAINER, pid, {});
      await isolator.update?.(CONTAINER, { resources: given.resources, limits: {}, pid });
      for (const value of Object.values((await isolator.usage?.(CONTAINER, pid)) ?? {})) {
        if (typeof value === "number") assert.ok(value >= 0, "a statistic is below zero");
      }
      await isolator.status?.(CONTAINER);
      await isolator.cleanup?.(CONTAINER);
    }),
    test("cleans up twice, and what it never prepared, without complaint", async ({
      isolator,
      directory,
    }) => {
      await isolator.cleanup?.("never-prepared");
      await isolator.prepare?.(request(directory));
      await isolator.cleanup?.(CONTAINER);
      await isolator.cleanup?.(CONTAINER);
    }),
    test("ends its watch when it is told to", async ({ isolator, directory, pid }) => {
      if (isolator.watch === undefined) return;
      await isolator.prepare?.(request(directory));
      await isolator.isolate?.(CONTAINER, pid, {});
      const ending = new AbortController();
      const watch = isolator.watch(CONTAINER, ending.signal);
      watch.catch(() => undefined);
      ending.abort();
      // Nothing may keep the process alive for it; that it does not report a limit is all that can be seen from here.
      const ended = await Promise.race([
        watch.then(
          () => "limit",
          () => "ended",
        ),
        Promise.resolve("waiting"),
      ]);
      assert.notEqual(ended, "limit");
      await isolator.cleanup?.(CONTAINER);
    }),
    test("takes up no containers of an earlier run when there are none", async ({ isolator }) => {
      await isolator.recover?.([]);
    }),
  ];
}
