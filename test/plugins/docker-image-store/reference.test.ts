import { expect } from "chai";
import fc from "fast-check";
import {
  formatReference,
  normalName,
  parseReference,
} from "../../../plugins/docker-image-store/reference.js";
import { endpointOf } from "../../../plugins/docker-image-store/registry/endpoint.js";

const DIGEST = `sha256:${"0123456789abcdef".repeat(4)}`;

describe("names of images", () => {
  it("are read as Docker and Mesos read them", () => {
    const cases: readonly (readonly [string, object])[] = [
      ["alpine", { repository: "alpine" }],
      ["alpine:3.18", { repository: "alpine", tag: "3.18" }],
      ["library/alpine", { repository: "library/alpine" }],
      ["a/b/c:T_1.x-y", { repository: "a/b/c", tag: "T_1.x-y" }],
      ["localhost/app", { registry: "localhost", repository: "app" }],
      ["localhost:5000/app", { registry: "localhost:5000", repository: "app" }],
      ["quay.io/coreos/etcd:v3", { registry: "quay.io", repository: "coreos/etcd", tag: "v3" }],
      ["host:1/a:b", { registry: "host:1", repository: "a", tag: "b" }],
      [`app@${DIGEST}`, { repository: "app", digest: DIGEST }],
      [`r.io/app:1@${DIGEST}`, { registry: "r.io", repository: "app", tag: "1", digest: DIGEST }],
      ["[::1]:5000/app", { registry: "[::1]:5000", repository: "app" }],
      ["a__b/c--d/e.f_g", { repository: "a__b/c--d/e.f_g" }],
    ];
    for (const [text, expected] of cases) expect(parseReference(text), text).to.deep.equal(expected);
  });

  it("are refused where they are none, with the reason", () => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ["", /no repository/],
      ["Alpine", /lower-case/],
      ["a//b", /lower-case/],
      ["/a", /lower-case/],
      ["a/", /lower-case/],
      ["a/../b", /lower-case/],
      ["../a", /registry's host/],
      ["a:", /tag ''/],
      ["a:.b", /tag '.b'/],
      [`a:${"t".repeat(129)}`, /tag/],
      ["a@b@c", /more than one '@'/],
      ["a@md5:0", /digest 'md5:0'/],
      [`a@sha256:${"A".repeat(64)}`, /digest/],
      ["host:port/a", /registry's host/],
      ["host:70000/a", /registry's host/],
      ["-host.io/a", /registry's host/],
      ["r.io/", /no repository/],
      [`${"a".repeat(256)}`, /longer than 255/],
      ["a b", /lower-case/],
      ["a\n", /lower-case/],
    ];
    for (const [text, reason] of cases) {
      expect(() => parseReference(text), text)
        .to.throw(reason)
        .with.property("code", "TEPUI_IMAGE_INVALID");
    }
  });

  it("come back as they were written", () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}([._-][a-z0-9]{1,8})?$/);
    const reference = fc.record(
      {
        registry: fc.stringMatching(/^[a-z]{1,8}\.[a-z]{2,3}(:[1-9][0-9]{0,3})?$/),
        repository: fc.array(component, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")),
        tag: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/),
      },
      { requiredKeys: ["registry", "repository"] },
    );
    fc.assert(
      fc.property(reference, (made) => {
        expect(parseReference(formatReference(made))).to.deep.equal(made);
        expect(parseReference(normalName(made)).tag).to.equal(made.tag ?? "latest");
      }),
    );
  });

  it("never make the reader crash", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseReference(text).repository).not.to.equal("");
        } catch (error) {
          expect(error).to.have.property("code", "TEPUI_IMAGE_INVALID");
        }
      }),
    );
  });

  it("lead to their registry", () => {
    const hub = new URL("https://registry-1.docker.io");
    const own = new URL("http://registry.lan:8080");
    const cases: readonly (readonly [string, URL, string])[] = [
      ["alpine", hub, "https://registry-1.docker.io library/alpine"],
      ["team/app", hub, "https://registry-1.docker.io team/app"],
      ["docker.io/alpine", own, "https://registry-1.docker.io library/alpine"],
      ["docker.io/team/app", hub, "https://registry-1.docker.io team/app"],
      ["alpine", own, "http://registry.lan:8080 alpine"],
      ["registry.lan:8080/app", own, "http://registry.lan:8080 app"],
      ["registry.lan:8080/app", hub, "https://registry.lan:8080 app"],
      ["quay.io/app", own, "https://quay.io app"],
      ["quay.io:80/app", own, "http://quay.io:80 app"],
      ["quay.io:443/app", own, "https://quay.io:443 app"],
      ["localhost:5000/app", hub, "http://localhost:5000 app"],
      ["127.0.0.1:5000/app", hub, "http://127.0.0.1:5000 app"],
      ["127.0.0.1:443/app", hub, "https://127.0.0.1:443 app"],
      ["[::1]:5000/app", hub, "http://[::1]:5000 app"],
      ["localhost/app", hub, "https://localhost app"],
    ];
    for (const [text, registry, expected] of cases) {
      const { origin, repository } = endpointOf(parseReference(text), registry);
      expect(`${origin} ${repository}`, text).to.equal(expected);
    }
  });
});
