// `npm start`: a local cluster of one master and one agent, and a demo job on it.
import { build } from "./steps.mjs";

build();
const { runDemo } = await import("../dist/bin/demo.js");
process.exitCode = await runDemo(process.argv.slice(2));
