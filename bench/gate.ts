/**
 * How often the gate cries wolf and how often it finds a true change, by simulation on recorded step times:
 *
 *     npx tsx bench/gate.ts | npx prettier --parser markdown > bench/gate.md
 */
import { gateSimulationReport } from './gate-report.ts';

process.stdout.write(gateSimulationReport());
