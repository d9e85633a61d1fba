import config from "app:config";
import { App } from "./app.ts";
import { PhoneModel } from "./engine/phone_model.ts";
import { workOffline } from "./offline.ts";
import { runtimeVariant } from "./runtime.ts";

async function start(): Promise<void> {
  const runtime = `${config.runtime}/${await runtimeVariant()}`;
  const model = PhoneModel.load(`${runtime}.js`, config.model);
  const app = new App(config, model);
  await app.start(workOffline(runtime));
}

void start();
