import { Option } from '@commander-js/extra-typings';
import { dtypes } from '../../core/experiment/case.ts';
import { given } from '../flags/given.ts';
import { collect, collectNames, parseCount } from '../flags/values.ts';
import type { CommandModule } from './module.ts';

const help = `
Without runs, what is predicted and what the paper published is drawn, and the command that makes the runs is said. Runs
of several machines make a picture each; runs on CPUs never stand beside the paper. Beside the pictures lies the
Vega-Lite specification with all data (figureN-SYSTEM.vl.json), to draw them again anywhere.
  superoffload figure 10
  superoffload figure all --system gh200 --out figures --formats svg,md
  superoffload figure 13 --run
timeline is one optimizer step as a picture: host, GPU, copies, CPU Adam and waits of each mode on one time axis, beside
the least time that the machine allows. Without --from: the case that was traced last, the newest run of each mode.
  superoffload throughput --model 2B --mode zero_offload,prism,prism_overlap --timeline
  superoffload figure timeline
ablation is after the paper's Table 2: what each setting of prism and each trait of prism_overlap is worth, row by row of
experiment/ablation.json. --run runs what is missing and goes on where it was stopped.
  superoffload figure ablation --run --model 5B
  superoffload figure ablation --run --row 'all on' --row 'casts apart' --dry-run`;

export const declare: CommandModule['declare'] = (bare, io) => {
  declareFlags(bare).action(async (figure, options) => {
    const { showFigures } = await import('../screens/figure.ts');
    const { mode, model, steps, dtype, chips, repeat, stack, row } = options;
    const flags = {
      ...given('modes', mode),
      ...given('models', model),
      ...given('steps', steps),
      ...given('dtype', dtype),
    };
    const runFlags = {
      flags,
      ...given('chips', chips),
      ...given('repeat', repeat),
      ...given('stack', stack),
      ...given('rows', row),
    };
    await showFigures(io, figure, { ...options, runFlags });
  });
};

function declareFlags(command: Parameters<CommandModule['declare']>[0]) {
  return command
    .argument(
      '<figure>',
      '10, 11 (throughput), 12 (sequence length), 13 (model size), all of these, timeline, or ablation',
    )
    .option(
      '--system <name>',
      'only runs of this machine; without runs, its prediction (default: all with runs)',
    )
    .option(
      '--from <source>',
      'runs, a run, a tag, a campaign, a folder, a file or an archive; may be given more than once (default: runs)',
      collect,
    )
    .option('--formats <names>', 'of svg, png, json, csv, md, html (default: svg, png, json)', collectNames)
    .option('--out <dir>', 'where the files go', 'figures')
    .option(
      '--limits <file>',
      'timeline: what bench/overlap_limits.py measured (default: the profile of the system)',
    )
    .option('--no-paper', 'without what the paper published')
    .option('--no-predicted', 'without what is predicted')
    .option('--json', 'print JSON: the data of every figure, and its files')
    .option('--dry-run', 'print what would be run and written, do neither')
    .optionsGroup('Runs:')
    .option('--run', 'run what is missing first: campaigns, and for 13 the search for the largest size')
    .option('--chips <n>', 'with --run: on so many chips alone (default: all of the figure)', parseCount)
    .option('--mode <mode>', 'with --run: of these modes, may be repeated', collectNames)
    .option('--model <size>', 'with --run: of these sizes, may be repeated', collectNames)
    .option('--row <text>', 'ablation with --run: only rows whose title has it, may be repeated', collect)
    .option('--steps <n>', 'with --run: optimizer steps at most', parseCount)
    .addOption(new Option('--dtype <type>', 'with --run: number format').choices(dtypes))
    .option('--repeat <r>', 'with --run: launches of each case', parseCount)
    .option('--stack <name>', 'with --run: installed stack')
    .optionsGroup('Options:')
    .addHelpText('after', help);
}
