import { expect } from "chai";
import * as codecs from "../../../proto/gen/json/mesos/v1/scheduler/scheduler.js";
import { MasterInfo } from "../../../proto/gen/mesos/v1/mesos.js";
import { Call, Call_Type } from "../../../proto/gen/mesos/v1/scheduler/scheduler.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import {
  acceptsGzip,
  acceptsMediaType,
  answerFormat,
  leaderLocation,
  masterLocation,
  readCall,
} from "../../../sdk/http/index.js";

function refusal(run: () => unknown): [number, string] {
  try {
    run();
  } catch (error) {
    if (isTepuiError(error)) return [error.http, error.detail ?? ""];
    throw error;
  }
  throw new Error("was not refused");
}

const read = (contentType: string | undefined, body: string | Uint8Array) =>
  readCall(codecs.Call, contentType, Buffer.from(body as string));

describe("content negotiation", () => {
  it("reads Accept as libprocess does", () => {
    const json = "application/json";
    const cases: [string | undefined, boolean][] = [
      [undefined, true],
      ["", false],
      ["*/*", true],
      ["application/*", true],
      ["text/html", false],
      ["text/html, application/json", true],
      ["Application/JSON ; charset=utf-8", true],
      ["application/json;q=0", false],
      ["application/json;q=0.0, */*", false],
      ["application/json;q=0.1", true],
      ["application/json;q=x", false],
      ["application/x-protobuf, */*;q=0.5", true],
      ["application/x-protobuf", false],
    ];
    for (const [accept, expected] of cases) {
      expect(acceptsMediaType(accept, json), String(accept)).to.equal(expected);
    }
  });

  it("compresses only for clients that say so", () => {
    expect([undefined, "", "identity", "gzip;q=0", "gzip;q=0, *"].map(acceptsGzip)).to.not.include(true);
    expect(["gzip", "deflate, GZIP", "*", "gzip;q=0.5"].map(acceptsGzip)).to.not.include(false);
  });

  it("answers in JSON where that is accepted, and in the request's format without Accept", () => {
    expect(answerFormat("*/*", "protobuf")).to.equal("json");
    expect(answerFormat("application/x-protobuf", "json")).to.equal("protobuf");
    expect(answerFormat(undefined, "protobuf")).to.equal("protobuf");
    expect(answerFormat(undefined, "json")).to.equal("json");
    expect(refusal(() => answerFormat("text/html", "json"))).to.deep.equal([
      406,
      "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
    ]);
  });

  it("reads a call in both formats, whatever the parameters of its type", () => {
    const call = Call.fromPartial({ type: Call_Type.REVIVE, framework_id: { value: "f" } });
    const bytes = Call.encode(call).finish();
    expect(read("application/x-protobuf", bytes).call.framework_id?.value).to.equal("f");
    const { call: fromJson, format } = read(
      "Application/json; charset=utf-8",
      '{"type":"REVIVE","framework_id":{"value":"f"}}',
    );
    expect([fromJson.type, fromJson.framework_id?.value, format]).to.deep.equal([
      Call_Type.REVIVE,
      "f",
      "json",
    ]);
  });

  it("refuses in Mesos's words, naming the field", () => {
    expect(refusal(() => read(undefined, "{}"))).to.deep.equal([
      400,
      "Expecting 'Content-Type' to be present",
    ]);
    expect(refusal(() => read("text/xml", "{}"))).to.deep.equal([
      415,
      "Expecting 'Content-Type' of application/json or application/x-protobuf",
    ]);
    expect(refusal(() => read("application/json", ""))).to.deep.equal([
      400,
      "Failed to parse body into JSON: syntax error at line 1 near: ",
    ]);
    const missing = '{"type":"SUBSCRIBE","subscribe":{"framework_info":{"name":"n"}}}';
    expect(refusal(() => read("application/json", missing))).to.deep.equal([
      400,
      "Failed to convert JSON into Call protobuf: Missing required fields: subscribe.framework_info.user",
    ]);
    const [status, text] = refusal(() =>
      read("application/json", '{"type":"KILL","kill":{"task_id":{"value":[1]}}}'),
    );
    expect(status).to.equal(400);
    expect(text).to.match(/^Failed to convert JSON into Call protobuf: .*kill\.task_id\.value/);
    expect(refusal(() => read("application/x-protobuf", "\u0001\u0002garbage"))[1]).to.match(
      /^Failed to parse body into Call protobuf/,
    );
  });

  it("sends clients to the leader, below /master as Mesos does", () => {
    const leader = MasterInfo.fromPartial({ id: "m", ip: 0x0100007f, port: 5050, hostname: "m1.example" });
    expect(leaderLocation(leader, "/api/v1/scheduler")).to.equal("//m1.example:5050/master/api/v1/scheduler");
    expect(leaderLocation(leader, "/master/state?jsonp=f")).to.equal(
      "//m1.example:5050/master/state?jsonp=f",
    );
    expect(leaderLocation(leader, "/")).to.equal("//m1.example:5050/master");
    expect(masterLocation(MasterInfo.fromPartial({ id: "m", ip: 0x0100007f, port: 5051 }))).to.equal(
      "//127.0.0.1:5051",
    );
  });
});
