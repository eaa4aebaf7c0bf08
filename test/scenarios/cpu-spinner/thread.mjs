/** One thread that spins; it answers through memory that it shares. */
import { workerData } from "node:worker_threads";
import { spin } from "./spin.mjs";

workerData.count[0] = spin(workerData.until);
