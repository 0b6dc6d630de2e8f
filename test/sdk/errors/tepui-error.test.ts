import { expect } from "chai";
import { ERROR_KINDS, ERRORS, isTepuiError, messageOf, TepuiError } from "../../../sdk/errors/index.js";

describe("the error table", () => {
  it("gives every error a text and a hint in the same form", () => {
    for (const [code, { kind, text, hint }] of Object.entries(ERRORS)) {
      expect(code).to.match(/^TEPUI_[A-Z0-9_]+$/);
      expect(ERROR_KINDS, code).to.have.property(kind);
      expect(text, code).to.match(/[^.:]$/);
      expect(hint, code).to.match(/\.$/);
    }
  });
});

describe("TepuiError", () => {
  it("takes everything but the detail from its code", () => {
    const cause = new Error("disk");
    const error = new TepuiError("TEPUI_MANIFEST_UNREADABLE", { detail: "m.yaml", cause });
    expect(error.message).to.equal("The manifest cannot be read: m.yaml");
    expect(error).to.include({
      code: "TEPUI_MANIFEST_UNREADABLE",
      kind: "invalid",
      http: 400,
      grpc: 3,
      cause,
    });
    expect(error.hint).to.match(/permissions/);
  });

  it("lists several problems, one a line", () => {
    const error = new TepuiError("TEPUI_BOOT_FAILED", { problems: ["one", "two\nof two lines"] });
    expect(error.message).to.equal("The plugins do not fit together\n  - one\n  - two\n    of two lines");
    expect(error.problems).to.have.length(2);
  });

  it("is recognised across copies of the package", () => {
    const foreign = Object.assign(new Error("x"), { name: "TepuiError", code: "TEPUI_BOOT_FAILED" });
    expect(isTepuiError(foreign)).to.equal(true);
    expect(isTepuiError(Object.assign(new Error("x"), { name: "TepuiError", code: "OTHER" }))).to.equal(
      false,
    );
    expect(isTepuiError(new Error("x"))).to.equal(false);
    expect(messageOf("text")).to.equal("text");
    expect(messageOf(5)).to.equal("5");
  });
});
