import { expect } from "chai";
import fc from "fast-check";
import { KILL_CAUSES, killRecordText, readKillRecord } from "../../../../core/agent/tasks/kill-record.js";

describe("the record of how a task is made to end", () => {
  it("is read as it was written", () => {
    const record = fc.record({
      cause: fc.constantFrom(...KILL_CAUSES),
      deadline: fc.option(fc.integer({ min: 0, max: 9e14 }), { nil: undefined }),
      asked: fc.boolean(),
    });
    fc.assert(
      fc.property(record, (one) => {
        expect(readKillRecord(killRecordText(one))).to.deep.equal(one);
      }),
    );
  });

  it("says that the task was being ended whatever is left of it", () => {
    for (const text of ["", "kil", "1", "killed soon", "\0\0\0"])
      expect(readKillRecord(text), text).to.deep.equal({
        cause: "killed",
        deadline: undefined,
        asked: false,
      });
    expect(readKillRecord("overtime").cause, "as agents wrote it before").to.equal("overtime");
  });
});
