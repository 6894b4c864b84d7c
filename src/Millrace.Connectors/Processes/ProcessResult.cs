using Millrace.Engine.Functions;
using Millrace.Jq;

namespace Millrace.Connectors.Processes;

/// <summary>What becomes of a process that has ended, for whoever plays one (dsl-reference.md, Process Result).</summary>
public static class ProcessResult
{
    /// <param name="arguments">The task's arguments, whose <c>return</c> says what is wanted.</param>
    public static FunctionOutcome Of(ProcessEnd end, Json arguments)
    {
        try
        {
            return FunctionOutcome.Done(ProcessTask.OutputOf(end, new Arguments(arguments)));
        }
        catch (Refusal refused)
        {
            return new FunctionOutcome.Failed(refused.Error);
        }
    }
}
