// Run Python programs of this project.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

const PROJECT = join(import.meta.dirname, "../..");

export function python(args, input) {
  const command = join(PROJECT, ".venv/bin/python");
  const env = { ...process.env, PYTHONPATH: `${join(PROJECT, "src")}:${join(PROJECT, "tests")}` };
  const stdio = ["pipe", "pipe", "ignore"];
  return execFileSync(command, args, { cwd: PROJECT, env, input, stdio, maxBuffer: 2 ** 28, encoding: "utf8" });
}
