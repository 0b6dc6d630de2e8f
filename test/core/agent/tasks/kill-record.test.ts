import { expect } from "chai";
import fc from "fast-check";
import {
  graceLeft,
  isWholeKillRecord,
  KILL_CAUSES,
  killRecordText,
  readKillRecord,
} from "../../../../core/agent/tasks/kill-record.js";

describe("the record of how a task is made to end", () => {
  it("is read as it was written", () => {
    const record = fc.record({
      cause: fc.constantFrom(...KILL_CAUSES),
      grace: fc.option(fc.integer({ min: 0, max: 9e14 }), { nil: undefined }),
      deadline: fc.option(fc.integer({ min: 0, max: 9e14 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(record, (one) => {
        expect(readKillRecord(killRecordText(one))).to.deep.equal(one);
        expect(isWholeKillRecord(killRecordText(one))).to.equal(true);
      }),
    );
  });

  it("says that the task was being ended whatever is left of it", () => {
    for (const text of ["", "kil", "1", "killed soon", "killed grace= deadline=soon", "\0\0\0"])
      expect(readKillRecord(text), text).to.deep.equal({
        cause: "killed",
        grace: undefined,
        deadline: undefined,
      });
    expect(readKillRecord("overtime").cause, "cut short").to.equal("overtime");
  });

  it("is known for another one with any byte of it changed", () => {
    const text = Buffer.from(killRecordText({ cause: "overtime", grace: 3000, deadline: 1_700_000_000_000 }));
    for (let at = 0; at < text.length; at++) {
      for (let change = 1; change < 256; change++) {
        const damaged = Buffer.from(text);
        damaged[at]! ^= change;
        expect(isWholeKillRecord(String(damaged)), `byte ${at} xor ${change}`).to.equal(false);
      }
    }
  });

  it("of an earlier version has no checksum", () => {
    for (const text of ["killed", "overtime grace=3000", "unhealthy grace=3000.5 deadline=1700000000000"])
      expect(isWholeKillRecord(text), text).to.equal(true);
  });

  it("leaves a task that may not have been asked its whole grace, and another what is left of it", () => {
    const record = (grace?: number, deadline?: number) => ({ cause: "killed", grace, deadline }) as const;
    const now = 1_700_000_000_000;
    expect(graceLeft(record(), 3000, now), "nothing is known").to.equal(3000);
    expect(graceLeft(record(10_000), 3000, now), "not asked").to.equal(10_000);
    expect(graceLeft(record(10_000, now + 4000), 3000, now), "asked").to.equal(4000);
    expect(graceLeft(record(10_000, now - 1), 3000, now), "its time was over meanwhile").to.equal(0);
    expect(graceLeft(record(10_000, now + 3_600_000), 3000, now), "the clock was set back").to.equal(10_000);
  });
});
