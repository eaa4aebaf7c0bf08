/** Stands for a function's CommonJS module while a process warms up. */
exports.handler = async (event) => event;
