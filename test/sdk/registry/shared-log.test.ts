import { expect } from "chai";
import fc from "fast-check";
import { SharedLog, type Stored, UnreadableLogError } from "../../../sdk/registry/index.js";
import { SeededRandom } from "../../../sdk/testing/seeded-random.js";
import { ModelEngine, ModelStore } from "./model-store.js";

let seed = 1;

function logOn(engine: ModelEngine): { store: ModelStore; log: SharedLog } {
  const store = new ModelStore(engine);
  return { store, log: new SharedLog(store, new SeededRandom(seed++)) };
}

const bytes = (text: string): Buffer => Buffer.from(text, "utf8");
const texts = ({ snapshot, entries }: Stored): string[] =>
  [...(snapshot === undefined ? [] : [snapshot]), ...entries].map(String);

/** Resolves when the store is about to make the call; the call goes on after `resume`. */
function held(store: ModelStore, wanted: string): { reached: Promise<void>; resume: () => void } {
  let resume: () => void = () => {};
  const go = new Promise<void>((resolve) => {
    resume = resolve;
  });
  const reached = new Promise<void>((resolve) => {
    store.around = async (call, step) => {
      if (call !== wanted || step !== "before") return;
      resolve();
      await go;
    };
  });
  return { reached, resume };
}

describe("shared log", () => {
  it("finds what was appended and replaced", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    expect(texts(await log.open())).to.deep.equal([]);
    await log.append([bytes("a")]);
    await log.append([bytes("b")]);
    await log.replace(bytes("ab"));
    await log.append([bytes("c")]);
    expect(texts(await logOn(engine).log.open())).to.deep.equal(["ab", "c"]);
  });

  it("stores each change exactly once, whichever call fails before or after it took effect", async () => {
    const steps = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
    const breaks = fc.array(fc.constantFrom("no", "before", "after"), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, breaks, async (replaces, faults) => {
        const engine = new ModelEngine();
        const { log, store } = logOn(engine);
        let calls = 0;
        store.around = async (_, step) => {
          if (step === "before") calls++;
          if (faults[calls] === step) throw ModelStore.lost();
        };
        await log.open();
        let all = "";
        for (const [i, replace] of replaces.entries()) {
          all += `${i};`;
          if (replace) await log.replace(bytes(all));
          else await log.append([bytes(`${i};`)]);
        }
        expect(texts(await logOn(engine).log.open()).join("")).to.equal(all);
      }),
    );
  });

  it("refuses every kind of write from a writer that has been superseded", async () => {
    const engine = new ModelEngine();
    const old = logOn(engine).log;
    await old.open();
    await old.append([bytes("a")]);
    await logOn(engine).log.open();
    for (const write of [() => old.append([bytes("x")]), () => old.replace(bytes("x"))]) {
      const error = await write().catch((thrown: Error) => thrown.message);
      expect(error).to.equal("another master has taken the registry over");
    }
    expect(texts(await logOn(engine).log.open())).to.deep.equal(["a"]);
  });

  it("tells a log that is gone from one that another writes", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    await log.append([bytes("a")]);
    engine.head = undefined;
    engine.values.clear();
    const error = await log.append([bytes("b")]).catch((thrown: Error) => thrown.message);
    expect(error).to.match(/^it is gone; its servers have lost data, or somebody removed it/);
    expect(engine.values.size).to.equal(0);
  });

  for (const call of ["readHead", "names", "change"]) {
    it(`does not keep out who followed while it opened, once it was deposed: before ${call}`, async () => {
      const engine = new ModelEngine();
      const [old, young] = [logOn(engine), logOn(engine)];
      await logOn(engine).log.open();
      const { reached, resume } = held(old.store, call);
      let holds = true;
      const outcome = old.log.open({ holds: () => holds }).then(
        () => "opened",
        (error: Error) => error.message,
      );
      await reached;
      await young.log.open();
      await young.log.append([bytes("young")]);
      holds = false;
      resume();
      expect(await outcome).to.equal("another master has taken the registry over");
      await young.log.append([bytes("goes on")]);
      expect(texts(await logOn(engine).log.open())).to.deep.equal(["young", "goes on"]);
    });
  }

  it("keeps a writer that was paused while storing a snapshot from damaging its successor's", async () => {
    const engine = new ModelEngine();
    const [old, young] = [logOn(engine), logOn(engine)];
    await old.log.open();
    await old.log.append([bytes("a")]);
    const { reached, resume } = held(old.store, "put");
    const outcome = old.log.replace(bytes("old")).catch((error: Error) => error.message);
    await reached;
    await young.log.open();
    await young.log.replace(bytes("young"));
    resume();
    expect(await outcome).to.equal("another master has taken the registry over");
    expect(texts(await logOn(engine).log.open())).to.deep.equal(["young"]);
  });

  it("keeps a writer that was paused before its clean-up from removing its successor's snapshot", async () => {
    const engine = new ModelEngine();
    const [old, young] = [logOn(engine), logOn(engine)];
    await old.log.open();
    await old.log.append([bytes("a")]);
    const { reached, resume } = held(old.store, "names");
    const swept = old.log.replace(bytes("old"));
    await reached;
    await young.log.open();
    await young.log.replace(bytes("young"));
    await young.log.append([bytes("b")]);
    resume();
    await swept;
    expect(texts(await logOn(engine).log.open())).to.deep.equal(["young", "b"]);
  });

  it("can be read without fencing off the writer", async () => {
    const engine = new ModelEngine();
    expect(await logOn(engine).log.peek()).to.equal(undefined);
    expect(engine.head).to.equal(undefined);
    const { log } = logOn(engine);
    await log.open();
    await log.append([bytes("a")]);
    expect(texts((await logOn(engine).log.peek())!)).to.deep.equal(["a"]);
    await log.append([bytes("b")]);
  });

  it("starts over when the snapshot is replaced during a read", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    await log.replace(bytes("first"));
    const reader = logOn(engine);
    const { reached, resume } = held(reader.store, "read");
    const seen = reader.log.peek();
    await reached;
    await log.replace(bytes("second"));
    resume();
    expect(texts((await seen)!)).to.deep.equal(["second"]);
  });

  it("names a value that is missing or damaged", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    await log.replace(bytes("whole"));
    const [name] = engine.values.keys();
    const errorOf = () =>
      logOn(engine)
        .log.open()
        .then(String, (error: Error) => error.message);
    engine.values.set(name!, bytes("whale"));
    expect(await errorOf()).to.equal("its snapshot is not the one that was written");
    engine.values.delete(name!);
    expect(await errorOf()).to.equal("part 1 of 1 of its snapshot is missing");
  });

  it("refuses an entry with any bit changed, or cut off anywhere", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    await log.append([bytes("records")]);
    const [name] = engine.values.keys();
    const entry = engine.values.get(name!)!;
    const outcome = (value: Buffer) => {
      engine.values.set(name!, value);
      return logOn(engine)
        .log.peek()
        .then(
          (stored) => texts(stored!).join(),
          (error: Error) => error.message,
        );
    };
    for (let cut = 0; cut < entry.length; cut++) {
      expect(await outcome(entry.subarray(0, cut))).to.match(
        /^entry-0+1 is (cut short|not what was written)$/,
      );
    }
    for (let bit = 8 * 17; bit < 8 * entry.length; bit++) {
      const damaged = Buffer.from(entry);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      expect(await outcome(damaged), `bit ${bit}`).to.equal("entry-0000000001 is not what was written");
    }
    // As the program before this one wrote it.
    const old = Buffer.concat([entry.subarray(0, 16), Buffer.from([1]), bytes("old")]);
    expect(await outcome(old)).to.equal("\u0001old");
  });

  it("refuses a head with any byte changed that would select other values", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    await log.replace(bytes("snapshot"));
    for (let i = 0; i < 12; i++) await log.append([bytes(`${i}`)]);
    const whole = texts((await logOn(engine).log.peek())!).join();
    const { data, version } = engine.head!;
    let refused = 0;
    for (let at = 0; at < data.length; at++) {
      for (const change of [1, 2, 4, 8, 16, 32, 64, 128, 255]) {
        const damaged = Buffer.from(data);
        damaged[at]! ^= change;
        engine.head = { data: damaged, version };
        const found = await logOn(engine)
          .log.peek()
          .then(
            (stored) => texts(stored!).join(),
            (error: unknown) => error,
          );
        if (found instanceof UnreadableLogError) refused++;
        else expect(found, `byte ${at} xor ${change}`).to.equal(whole);
      }
    }
    // All but those that make the name of a field another one that does not count.
    expect(refused).to.be.greaterThan(9 * (data.length - 10));
  });

  it("replaces unreadable content with a snapshot, and fences off the writer", async () => {
    for (const damage of [
      (engine: ModelEngine) => {
        engine.head = { ...engine.head!, data: bytes("{") };
      },
      (engine: ModelEngine) => void engine.values.delete("entry-0000000003"),
      (engine: ModelEngine) => void engine.values.set("snapshot-0000000001-0000000000", bytes("?")),
    ]) {
      const engine = new ModelEngine();
      const old = logOn(engine).log;
      await old.open();
      await old.append([bytes("a")]);
      await old.replace(bytes("a"));
      for (const text of ["b", "c", "d"]) await old.append([bytes(text)]);
      damage(engine);
      const healer = logOn(engine).log;
      const problem = await healer.open().catch((error: unknown) => error);
      expect(problem).to.be.instanceOf(UnreadableLogError);
      await healer.overwrite(bytes("backup"));
      expect(await old.append([bytes("e")]).catch((error: Error) => error.message)).to.equal(
        "another master has taken the registry over",
      );
      const { log } = logOn(engine);
      expect(texts(await log.open())).to.deep.equal(["backup"]);
      await log.append([bytes("goes on")]);
      expect(texts(await logOn(engine).log.open())).to.deep.equal(["backup", "goes on"]);
      expect([...engine.values.keys()]).to.have.length(2);
    }
  });

  it("does so whichever call fails, and while somebody else writes", async () => {
    const breaks = fc.array(fc.constantFrom("no", "before", "after"), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(breaks, fc.nat(8), async (faults, when) => {
        const engine = new ModelEngine();
        const writer = logOn(engine).log;
        await writer.open();
        const { log, store } = logOn(engine);
        let calls = 0;
        store.around = async (_, step) => {
          if (step === "before" && calls++ === when) await writer.append([bytes("x")]).catch(() => undefined);
          if (faults[calls] === step) throw ModelStore.lost();
        };
        await log.overwrite(bytes("backup"));
        expect(texts(await logOn(engine).log.open())[0]).to.equal("backup");
        expect(String(await writer.append([bytes("y")]).catch((error: Error) => error.message))).to.contain(
          "taken the registry over",
        );
      }),
    );
  });

  it("refuses when an entry in the middle is missing, however many follow", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    for (let i = 0; i < 100; i++) await log.append([bytes(`${i}`)]);
    engine.values.delete("entry-0000000002");
    const error = await logOn(engine)
      .log.open()
      .then(String, (thrown: Error) => thrown.message);
    expect(error).to.equal("entry-0000000002 is missing, and later ones are there");
  });

  it("refuses when the last entry, which was acknowledged, is missing", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    for (let i = 0; i < 3; i++) await log.append([bytes(`${i}`)]);
    const errorOf = () =>
      logOn(engine)
        .log.open()
        .then(String, (error: Error) => error.message);
    engine.values.delete("entry-0000000003");
    expect(await errorOf()).to.equal("entry-0000000003 is missing");
    engine.values.delete("entry-0000000002");
    expect(await errorOf()).to.equal("entry-0000000002 is missing");
  });

  it("reads logs of earlier versions, which did not record the number of entries", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    await log.append([bytes("a")]);
    const { next: _, check: __, ...old } = JSON.parse(engine.head!.data.toString("utf8"));
    engine.head = { ...engine.head!, data: bytes(JSON.stringify(old)) };
    const later = logOn(engine);
    expect(texts(await later.log.open())).to.deep.equal(["a"]);
    await later.log.append([bytes("b")]);
    expect(texts(await logOn(engine).log.open())).to.deep.equal(["a", "b"]);
  });

  it("is not confused by entries appended during a read", async () => {
    const engine = new ModelEngine();
    const { log } = logOn(engine);
    await log.open();
    await log.append([bytes("a")]);
    const reader = logOn(engine);
    const { reached, resume } = held(reader.store, "names");
    const seen = reader.log.peek();
    await reached;
    await log.append([bytes("b")]);
    await log.append([bytes("c")]);
    resume();
    // As it was when the look began; later ones may be there.
    expect(texts((await seen)!)).to.deep.equal(["a"]);
  });
});
