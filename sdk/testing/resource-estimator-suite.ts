import assert from "node:assert/strict";
import type { Resource, ResourceUsage, ResourceUsage_Executor } from "../../proto/gen/mesos/v1/mesos.js";
import type { ResourceEstimator } from "../contracts/resource-estimator.js";
import { Resources } from "../resources/index.js";
import { casesOf, type SuiteCase } from "./suite-case.js";

export interface ResourceEstimatorSubject {
  readonly estimator: ResourceEstimator;
  close?(): Promise<unknown>;
}

export type MakeResourceEstimator = () => Promise<ResourceEstimatorSubject>;

const owned: readonly Resource[] = [
  { name: "cpus", type: 0, scalar: { value: 8 }, reservations: [] },
  { name: "mem", type: 0, scalar: { value: 8192 }, reservations: [] },
];

/** A container that uses nothing. */
const idle = (id: string, resources: Resources, seconds: number): ResourceUsage_Executor => ({
  executor_info: { executor_id: { value: id }, framework_id: { value: "framework" }, resources: [] },
  container_id: { value: `container-${id}` },
  allocated: resources.allocate("web").toMessages(),
  statistics: {
    timestamp: 1_000_000 + seconds,
    cpus_user_time_secs: 0,
    cpus_system_time_secs: 0,
    mem_rss_bytes: 0n,
    disk_statistics: [],
    net_traffic_control_statistics: [],
  },
  tasks: [],
});

/** An agent whose resources one container has, and another one those that are lent. */
function usage(seconds: number, lent: Resources): ResourceUsage {
  const owner = idle("owner", Resources.of(owned), seconds);
  const executors = lent.isEmpty ? [owner] : [owner, idle("guest", lent, seconds)];
  return { executors, total: [...owned] };
}

const DAY = 86_400;

/** What any ResourceEstimator must do. Every case gets one of its own. */
export function resourceEstimatorSuite(make: MakeResourceEstimator): SuiteCase[] {
  const caseOf = casesOf(make);
  const test = (name: string, body: (estimator: ResourceEstimator) => Promise<void>): SuiteCase =>
    caseOf(name, ({ estimator }) => body(estimator));
  /** Asked as often as an agent asks in a day, so that an estimator which watches for a while has something to say. */
  const settled = async (estimator: ResourceEstimator, lent: Resources, from: number): Promise<Resources> => {
    let answer = Resources.empty;
    for (let seconds = 0; seconds <= DAY; seconds += 60)
      answer = await estimator.oversubscribable(async () => usage(from + seconds, lent));
    return answer;
  };
  return [
    test("names only revocable resources that are not allocated", async (estimator) => {
      const answer = await settled(estimator, Resources.empty, 0);
      assert.ok(answer.nonRevocable().isEmpty, `'${answer}' is not revocable`);
      assert.ok(answer.equals(answer.unallocate()), `'${answer}' is allocated`);
    }),
    test("says the same while nothing changes", async (estimator) => {
      const before = await settled(estimator, Resources.empty, 0);
      const after = await settled(estimator, Resources.empty, DAY);
      assert.equal(String(after), String(before));
    }),
    test("does not lend again what is lent", async (estimator) => {
      const all = await settled(estimator, Resources.empty, 0);
      const left = await settled(estimator, all, DAY);
      assert.ok(left.isEmpty, `'${all}' is lent, and '${left}' besides`);
    }),
    test("has an answer where there are no containers, and where they cannot be measured", async (estimator) => {
      const nothing = { executors: [], total: [] };
      assert.ok((await estimator.oversubscribable(async () => nothing)).nonRevocable().isEmpty);
      const { executors, total } = usage(0, Resources.empty);
      const unmeasured = { executors: executors.map((one) => ({ ...one, statistics: undefined })), total };
      assert.ok((await estimator.oversubscribable(async () => unmeasured)).nonRevocable().isEmpty);
    }),
  ];
}
