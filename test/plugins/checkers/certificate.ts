import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Makes `key` and `cert` of a server that nobody has heard of. */
export function makeCertificate(directory: string): void {
  const [key, cert] = [join(directory, "key"), join(directory, "cert")];
  const made = ["-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert];
  execFileSync("openssl", ["req", ...made, "-subj", "/CN=x", "-days", "1"], { stdio: "ignore" });
}
