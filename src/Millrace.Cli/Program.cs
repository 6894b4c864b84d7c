using Millrace.Cli;
using Millrace.Cli.Jq;

// Its options are jq's own, so they are not read as ours.
if (args is ["jq", .. var jq]) return JqCommand.Run(jq, Console.OpenStandardInput(), Console.OpenStandardOutput(), Console.OpenStandardError());

using var interrupt = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    // The first Ctrl+C ends the command in order; a second one kills it.
    if (interrupt.IsCancellationRequested) return;
    e.Cancel = true;
    interrupt.Cancel();
};
return await CommandLine.RunAsync(args, Terminal.OfProcess(), interrupt.Token);
