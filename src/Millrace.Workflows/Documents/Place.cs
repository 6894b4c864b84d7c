namespace Millrace.Workflows.Documents;

/// <summary>The kinds of places in which a runtime expression may stand; they differ in the arguments it is given.</summary>
internal enum Place : byte
{
    WorkflowInput,
    If,
    TaskInput,

    /// <summary>The task itself, where the result goes into an effect or decides a branch.</summary>
    Definition,

    /// <summary>The task itself, where the result is written to the journal: set, emit, raise, the items of a loop, the input of a child or of the document's own functions.</summary>
    Kept,

    TaskOutput,
    Export,
    WorkflowOutput,
}

/// <summary>Which arguments are there at which place (dsl.md, Runtime Expression Arguments, the table at its end).</summary>
internal static class Places
{
    private static readonly string[] OfWorkflow = ["secrets", "workflow", "runtime"];
    private static readonly string[] BeforeInput = ["context", "secrets", "task", "workflow", "runtime"];
    private static readonly string[] OfTask = [.. BeforeInput, "input", "authorization"];

    public static bool Gives(this Place place, string variable) => place switch
    {
        Place.WorkflowInput => OfWorkflow.Contains(variable),
        Place.If or Place.TaskInput => BeforeInput.Contains(variable),
        Place.WorkflowOutput => variable == "context" || OfWorkflow.Contains(variable),
        Place.Export => variable == "output" || OfTask.Contains(variable),
        _ => OfTask.Contains(variable),
    };

    /// <summary>Whether what an expression gives here is written to the journal, where no secret may stand.</summary>
    public static bool IsKept(this Place place) => place is not (Place.If or Place.TaskInput or Place.Definition);
}
