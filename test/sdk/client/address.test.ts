import { expect } from "chai";
import { parseAddresses } from "../../../sdk/client/address.js";
import { AddressError } from "../../../sdk/client/errors.js";

describe("addresses of daemons", () => {
  const shown = (text: string | string[]): string[] =>
    parseAddresses(text, 5050).map(
      ({ protocol, host, port, prefix }) => `${protocol}//${host}:${port}${prefix}`,
    );

  it("reads one address in each of its forms", () => {
    expect(shown("localhost")).to.deep.equal(["http://localhost:5050"]);
    expect(shown("10.0.0.1:5051")).to.deep.equal(["http://10.0.0.1:5051"]);
    expect(shown("[::1]:7000")).to.deep.equal(["http://[::1]:7000"]);
    expect(shown("http://m:80")).to.deep.equal(["http://m:80"]);
    expect(shown("http://m")).to.deep.equal(["http://m:5050"]);
    expect(shown("https://m.example:8443/mesos/")).to.deep.equal(["https://m.example:8443/mesos"]);
  });

  it("reads lists", () => {
    expect(shown("a:1, b,c:3")).to.deep.equal(["http://a:1", "http://b:5050", "http://c:3"]);
    expect(shown(["a", "b:2"])).to.deep.equal(["http://a:5050", "http://b:2"]);
  });

  it("refuses the rest, naming it", () => {
    for (const text of ["", "a b", "http://", "ftp://a", "a:99999", "u@h:1", "http://h?x=1"])
      expect(() => shown(text), text).to.throw(AddressError);
    expect(() => shown("zk://a:2181/mesos")).to.throw(AddressError, "name the masters themselves");
    expect(() => shown([])).to.throw(AddressError, "empty");
  });
});
