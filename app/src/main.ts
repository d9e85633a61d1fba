import config from "app:config";
import { App } from "./app.ts";
import { PhoneModel } from "./engine/phone_model.ts";
import { warmUp } from "./engine/recognise.ts";
import { workOffline } from "./offline.ts";
import { runtimeVariant } from "./runtime.ts";

async function start(): Promise<void> {
  const runtime = `${config.runtime}/${await runtimeVariant()}`;
  const app = new App(config, load(`${runtime}.js`));
  await app.start(workOffline(runtime));
}

async function load(script: string): Promise<PhoneModel> {
  const model = await PhoneModel.load(script, config.model);
  await warmUp(model);
  return model;
}

void start();
