import fc from "fast-check";
import { anyEvent, Model } from "./model.js";

/** Events of the long run; a hundred thousand where there is time. */
const EVENTS = Number(process.env.TEPUI_ALLOCATOR_EVENTS ?? 20_000);
/** So many events before everything is given back and counted. */
const EVENTS_AT_ONCE = 200;

describe("the allocator's books", () => {
  for (const sorter of ["drf", "random"] as const) {
    it(`never offer what is not free or beyond a limit, and get everything back in the end (${sorter} sorters)`, () => {
      fc.assert(
        fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
          const model = new Model({ roleSorter: sorter, frameworkSorter: sorter });
          for (const event of events) model.apply(event);
          model.settle();
          model.allocator.stop();
        }),
        { numRuns: 300 },
      );
    });
  }

  it(`keep nothing over ${EVENTS} random events`, function () {
    this.timeout(60_000 + EVENTS * 10);
    const model = new Model();
    for (let done = 0; done < EVENTS; done += EVENTS_AT_ONCE) {
      const [events] = fc.sample(
        fc.array(anyEvent, { minLength: EVENTS_AT_ONCE, maxLength: EVENTS_AT_ONCE }),
        {
          numRuns: 1,
          seed: done + 1,
        },
      );
      for (const event of events!) model.apply(event);
      model.settle();
    }
    model.allocator.stop();
  });
});
