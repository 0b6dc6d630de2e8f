// Bodies that a Mesos 1.12 master and agent answered: read and written again, as JSON and by way of binary, they stay the same.

import { readdirSync, readFileSync } from "node:fs";
import { expect } from "chai";
import { wire } from "../../proto/json/index.js";

const folder = "test/proto/fixtures";

/** Mesos prints some doubles with a digit more than it takes to tell them apart; the number is the same. */
const shortest = (text: string): string =>
  text.replace(/(?<=[:[,])-?\d+\.\d+(?=[,}\]])/g, (number) => {
    const short = String(Number(number));
    return short.includes(".") ? short : `${short}.0`;
  });

describe("what Mesos answered", () => {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));

  it("is at hand", () => expect(files.length).to.be.greaterThan(10));

  for (const file of files) {
    it(`stays the same: ${file}`, () => {
      const codec = wire(file.startsWith("master-") ? "mesos.v1.master.Response" : "mesos.v1.agent.Response");
      const text = readFileSync(`${folder}/${file}`, "utf8");
      const message = (codec as ReturnType<typeof wire<"mesos.v1.master.Response">>).json.read(text);
      expect(codec.json.write(message)).to.equal(shortest(text));
      expect(codec.json.write(codec.decode(codec.encode(message)))).to.equal(shortest(text));
    });
  }

  it("stays the same: the events of a scheduler", () => {
    const codec = wire("mesos.v1.scheduler.Event");
    const lines = readFileSync(`${folder}/scheduler-events.jsonl`, "utf8").trim().split("\n");
    expect(lines.length).to.equal(8);
    for (const line of lines) {
      const event = codec.json.read(line);
      expect(codec.json.write(event)).to.equal(shortest(line));
      expect(codec.json.write(codec.decode(codec.encode(event)))).to.equal(shortest(line));
    }
  });
});
