import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = () => undefined;
