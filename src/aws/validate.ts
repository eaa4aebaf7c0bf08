/** x */
import type { OperationModel, ServiceModel } from "./model/model.ts";
export function validate(
  _model: ServiceModel,
  _operation: OperationModel,
  _input: Record<string, unknown>,
): void {}
