import { expect } from "chai";
import { TurnBudget } from "../../../sdk/http/turn-budget.js";

describe("the budget of a turn of the event loop", () => {
  it("lets other things happen between works that take long, and keeps their order", async () => {
    let now = 0;
    const order: string[] = [];
    const budget = new TurnBudget({ monotonic: () => now });
    const work = (name: string, milliseconds: number) => () => {
      now += milliseconds;
      order.push(name);
    };
    expect(budget.run(work("a", 6))).to.equal(true);
    expect(budget.run(work("b", 6))).to.equal(true);
    expect(budget.run(work("c", 11))).to.equal(false);
    expect(budget.run(work("d", 0))).to.equal(false);
    expect(order).to.deep.equal(["a", "b"]);
    await new Promise((resolve) => setImmediate(resolve));
    order.push("other");
    // Nothing overtakes what is waiting.
    expect(budget.run(work("e", 0))).to.equal(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(order).to.deep.equal(["a", "b", "c", "other", "d", "e"]);
    // Everything is done: the next turn begins anew.
    expect(budget.run(work("f", 0))).to.equal(true);
  });
});
