import { networkInterfaces } from "node:os";
import { expect } from "chai";
import {
  type AddressSettings,
  advertisedAddress,
  bindAddress,
} from "../../../plugins/http-server/advertised-address.js";
import { isTepuiError } from "../../../sdk/errors/index.js";
import { MemoryLogger } from "../../../sdk/testing/memory-logger.js";

const advertise = (settings: Partial<AddressSettings>, ip = "127.0.0.1") =>
  advertisedAddress({ hostname_lookup: false, ...settings }, { ip, port: 5050 }, new MemoryLogger());

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (isTepuiError(error)) return error.detail ?? "";
    throw error;
  }
  throw new Error("was not refused");
}

describe("address of a daemon", () => {
  it("listens where it is told, by flag or by command, and everywhere otherwise", async () => {
    expect(await bindAddress({ hostname_lookup: true })).to.equal("0.0.0.0");
    expect(await bindAddress({ hostname_lookup: true, ip: "127.0.0.1" })).to.equal("127.0.0.1");
    const command = "echo ' 127.0.0.2 '";
    expect(await bindAddress({ hostname_lookup: true, ip_discovery_command: command })).to.equal("127.0.0.2");
  });

  it("says what is wrong with an address", async () => {
    const lookup = { hostname_lookup: true };
    expect(await refusal(bindAddress({ ...lookup, ip: "localhost" }))).to.equal(
      "'localhost' (--ip) is not an IP address",
    );
    expect(await refusal(bindAddress({ ...lookup, ip: "1.2.3.4", ip_discovery_command: "true" }))).to.equal(
      "Only one of `--ip` or `--ip_discovery_command` should be specified",
    );
    expect(await refusal(bindAddress({ ...lookup, ip_discovery_command: "echo nonsense" }))).to.contain(
      "'nonsense' (the output of --ip_discovery_command)",
    );
    expect(await refusal(bindAddress({ ...lookup, ip_discovery_command: "exit 3" }))).to.contain(
      "'exit 3' failed",
    );
  });

  it("tells others what it is told to tell, else what it listens on", async () => {
    expect(await advertise({})).to.deep.equal({ ip: "127.0.0.1", port: 5050, hostname: "127.0.0.1" });
    expect(
      await advertise({ advertise_ip: "10.9.8.7", advertise_port: 80, hostname: "m.example" }),
    ).to.deep.equal({
      ip: "10.9.8.7",
      port: 80,
      hostname: "m.example",
    });
  });

  it("finds an address of this machine when it listens everywhere", async () => {
    const { ip } = await advertise({}, "0.0.0.0");
    const own = Object.values(networkInterfaces()).flatMap((entries) =>
      (entries ?? []).map(({ address }) => address),
    );
    // A machine's name may resolve to another loopback address (127.0.1.1) than the interface shows.
    expect(own.includes(ip) || ip.startsWith("127.")).to.equal(true);
  });
});
