/** A secondary figure: measured in the same harness as the axes, with a goal, and promised to nobody. */
import type { LambentServer } from "../contenders/lambent.ts";
import type { Generator } from "../load/generator.ts";

export interface Reading {
  readonly value: number;
  readonly unit: string;
  /** What is aimed at, in the same unit, and whether less or more of it is better. */
  readonly goal: number;
  readonly better: "less" | "more";
}

export interface Gauge {
  readonly name: string;
  read(setting: Setting): Promise<Reading>;
}

export interface Setting {
  readonly lambent: LambentServer;
  readonly generator: Generator;
  /** How long a load lasts. */
  readonly durationMs: number;
}

export function isMet({ value, goal, better }: Reading): boolean {
  return better === "less" ? value <= goal : value >= goal;
}
