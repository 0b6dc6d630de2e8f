// Makes proto/gen (TypeScript types, binary codecs, gRPC stubs and the JSON codec) from proto/**/*.proto.
import { spawnSync } from "node:child_process";

const buf = spawnSync(process.execPath, ["node_modules/@bufbuild/buf/bin/buf", "generate"], { stdio: "inherit" });
if (buf.status !== 0) process.exit(buf.status ?? 1);
