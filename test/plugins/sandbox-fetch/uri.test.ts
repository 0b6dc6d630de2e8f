import { expect } from "chai";
import { unpackingOf } from "../../../plugins/sandbox-fetch/archive.js";
import { readUri } from "../../../plugins/sandbox-fetch/uri.js";

const read = (value: string, more: object = {}, home = "") => {
  const { uri, scheme, name } = readUri({ value, ...more }, home);
  return [scheme, uri, name];
};

describe("URIs of commands", () => {
  it("name their fetcher, what it is to get, and where that goes", () => {
    expect(read("http://host:80/a/b.tgz")).to.deep.equal(["http", "http://host:80/a/b.tgz", "b.tgz"]);
    expect(read("HTTPS://host/a?x=/b")).to.deep.equal(["https", "HTTPS://host/a?x=/b", "b"]);
    expect(read("  /opt/x")).to.deep.equal(["file", "/opt/x", "x"]);
    expect(read("file:///opt/x")).to.deep.equal(["file", "/opt/x", "x"]);
    expect(read("file://localhost/opt/x")).to.deep.equal(["file", "/opt/x", "x"]);
    expect(read("x/y", {}, "/home")).to.deep.equal(["file", "/home/x/y", "y"]);
    expect(read("http://host/a", { output_file: "in/b" })).to.deep.equal(["http", "http://host/a", "in/b"]);
  });

  it("are refused where that cannot be told or leaves the sandbox", () => {
    const refused = (value: string, more: object = {}): string => {
      try {
        return `accepted: ${read(value, more)}`;
      } catch (error) {
        return String(error);
      }
    };
    expect(refused("")).to.match(/the URI is empty/);
    expect(refused("x/y")).to.match(/needs the agent's frameworks_home/);
    expect(refused("file://x/y")).to.match(/only support absolute paths/);
    expect(refused("http://host")).to.match(/no path/);
    expect(refused("http://host/")).to.match(/no file name/);
    expect(refused("http://host/..")).to.match(/no file name/);
    expect(refused("http://host/a\\b")).to.match(/illegal characters/);
    for (const output_file of ["/etc/passwd", "../x", "a/../../x", "..", "dir/", "."]) {
      expect(refused("http://host/a", { output_file }), output_file).to.match(
        /not a path inside the sandbox/,
      );
    }
  });

  it("are unpacked unless they are executable or ask not to be", () => {
    const extract = (more: object) => readUri({ value: "/a.tgz", ...more }, "").extract;
    expect([extract({}), extract({ extract: false }), extract({ executable: true })]).to.deep.equal([
      true,
      false,
      false,
    ]);
  });

  it("are archives by the end of their name", () => {
    const programs = [
      "a.tar",
      "a.tgz",
      "a.tar.gz",
      "a.tbz2",
      "a.tar.bz2",
      "a.txz",
      "a.tar.xz",
      "a.zip",
      "a.gz",
      "a.jar",
    ].map((name) => unpackingOf(name, name)?.command[0]);
    expect(programs).to.deep.equal([...Array(7).fill("tar"), "unzip", "gzip", undefined]);
    expect(unpackingOf("a.txt.gz", "/s/a.txt.gz")!.output).to.equal("a.txt");
  });
});
