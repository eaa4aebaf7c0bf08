/** `npm run coverage:operations [-- SERVICE]`: a line per operation, a last line with the totals; 1 where something implemented is untested. */
import { modelledOperations, modelledServices, operationsOf, testedOperations } from "./operations.ts";

const wanted = process.argv[2];
const services = modelledServices().filter((service) => wanted === undefined || service === wanted);
if (services.length === 0) {
  console.error(`No service is named ${wanted}; there are: ${modelledServices().join(", ")}`);
  process.exit(2);
}

const total = { operations: 0, implemented: 0, tested: 0, untested: 0 };
for (const service of services) {
  const implemented = new Set(await operationsOf(service));
  const tested = testedOperations(service);
  for (const operation of modelledOperations(service).toSorted()) {
    const isImplemented = implemented.has(operation);
    const isTested = tested.has(operation);
    console.log(
      `${service} ${operation} ${isImplemented ? "implemented" : "refused"} ${isTested ? "tested" : "untested"}`,
    );
    total.operations++;
    if (isImplemented) total.implemented++;
    if (isImplemented && isTested) total.tested++;
    if (isImplemented && !isTested) total.untested++;
  }
}
console.log(
  `${services.length} services, ${total.operations} operations: ${total.implemented} implemented ` +
    `(${total.tested} tested, ${total.untested} untested), ${total.operations - total.implemented} refused by name`,
);
process.exit(total.untested === 0 ? 0 : 1);
