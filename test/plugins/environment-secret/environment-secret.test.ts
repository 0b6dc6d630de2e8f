import { expect } from "chai";
import { EnvironmentSecretIsolator } from "../../../plugins/environment-secret/environment-secret-isolator.js";
import { FileSecretResolver } from "../../../plugins/secret-resolver/file-secret-resolver.js";
import { CommandInfo, Environment_Variable_Type, Secret_Type } from "../../../proto/gen/mesos/v1/mesos.js";
import type { ContainerRequest } from "../../../sdk/contracts/containerizer.js";

describe("environment_secret", () => {
  const isolator = new EnvironmentSecretIsolator(new FileSecretResolver(undefined));
  const prepare = (variables: object[]): Promise<unknown> =>
    isolator
      .prepare({ command: CommandInfo.fromPartial({ environment: { variables } }) } as ContainerRequest)
      .catch(String);
  const secret = (text: string): object => ({
    type: Secret_Type.VALUE,
    value: { data: Buffer.from(text) },
  });

  it("resolves variables that are secrets, and leaves the others alone", async () => {
    const variables = [
      { name: "PLAIN", value: "x" },
      { name: "TOKEN", type: Environment_Variable_Type.SECRET, secret: secret("s3cret") },
    ];
    expect(await prepare(variables)).to.deep.equal({ finalEnvironment: { TOKEN: "s3cret" } });
    expect(await prepare([{ name: "PLAIN", value: "x" }])).to.equal(undefined);
  });

  it("names the variable that cannot be resolved", async () => {
    const type = Environment_Variable_Type.SECRET;
    expect(await prepare([{ name: "A", type }])).to.match(/'A' is of type SECRET and has no secret/);
    const reference = { type: Secret_Type.REFERENCE, reference: { name: "db" } };
    expect(await prepare([{ name: "B", type, secret: reference }])).to.match(/'B': .*'db' is a reference/);
    expect(await prepare([{ name: "C", type, secret: secret("a\0b") }])).to.match(/'C' has a byte 0/);
  });
});
