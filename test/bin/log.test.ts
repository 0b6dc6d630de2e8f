import { expect } from "chai";
import { LineLogger } from "../../bin/log.js";
import { TepuiError } from "../../sdk/errors/index.js";

describe("a log line", () => {
  const lines: string[] = [];
  const logger = new LineLogger(
    { write: (line) => lines.push(line) },
    { least: "info" },
    { plugin: "agent" },
  );
  const logged = (fields: Record<string, unknown>, message = "said"): string => {
    logger.info(fields, message);
    return lines.at(-1) ?? "";
  };

  it("has Mesos's form, then its facts", () => {
    expect(logged({ id: "S0", count: 2n })).to.match(
      /^I\d{4} \d\d:\d\d:\d\d\.\d{6} \d+ agent\] said id="S0" count=2\n$/,
    );
  });

  it("is also written below the least severity while more is asked for", () => {
    const verbosity = { level: 0 };
    const written: string[] = [];
    const sink = { write: (line: string) => void written.push(line) };
    const quiet = new LineLogger(sink, { least: "warn", verbosity }).child({ plugin: "x" });
    quiet.debug("closer look");
    expect([quiet.enabled("info"), written]).to.deep.equal([false, []]);
    verbosity.level = 1;
    quiet.debug("closer look");
    expect([quiet.enabled("debug"), written.length]).to.deep.equal([true, 1]);
    verbosity.level = 0;
    quiet.info("as before");
    expect(written).to.have.length(1);
  });

  it("takes whatever facts there are, and never throws", () => {
    const round: Record<string, unknown> = { name: "r" };
    round.self = round;
    expect(logged({ drain: { grace: { nanoseconds: 600n } } })).to.contain(
      ' drain={"grace":{"nanoseconds":"600"}}',
    );
    expect(logged({ round })).to.contain("name: 'r'");
    expect(logged({ odd: { toJSON: () => undefined }, none: undefined, f: Symbol("s") })).to.contain(
      "Symbol(s)",
    );
  });

  it("stays one line, whatever a client sent", () => {
    expect(logged({ name: "a\nE1122 forged" }, "two\nlines").trimEnd()).to.not.contain("\n");
  });

  it("shows an error that explains itself by its words, any other with where it was thrown", () => {
    const known = new TepuiError("TEPUI_REGISTRY_UNREADABLE", { detail: "no disk" });
    expect(logged({ err: known })).to.match(/ err="The registry cannot be read: no disk"\n$/);
    expect(logged({ err: new TypeError("x is not a function") })).to.contain("log.test");
  });
});
