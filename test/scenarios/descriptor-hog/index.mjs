/** Opens files until it may open no more, and keeps them. */
import { openSync } from "node:fs";

let kept = 0;

export const handler = async () => {
  try {
    for (;;) {
      openSync("/dev/null");
      kept++;
    }
  } catch (error) {
    return { code: error.code, kept };
  }
};
