using Millrace.Cli;

using var interrupt = new CancellationTokenSource();
Console.CancelKeyPress += (_, e) =>
{
    // The first Ctrl+C ends the command in order; a second one kills it.
    if (interrupt.IsCancellationRequested) return;
    e.Cancel = true;
    interrupt.Cancel();
};
return await CommandLine.RunAsync(args, Terminal.OfProcess(), interrupt.Token);
