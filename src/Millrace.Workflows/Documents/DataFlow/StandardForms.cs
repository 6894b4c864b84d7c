using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Documents.DataFlow;

/// <summary>Forms of the arguments that every expression can read (dsl.md, Runtime Expression Arguments).</summary>
internal sealed class StandardForms
{
    private static readonly Form Moment = Form.Object(("iso8601", Form.String), ("epoch", Form.Object(("seconds", Form.Number), ("milliseconds", Form.Number))));

    private static readonly Form Runtime = Form.Object(("name", Form.String), ("version", Form.String), ("metadata", Form.Open));

    private static readonly Form Task = Form.Object(
        ("name", Form.String), ("reference", Form.String), ("definition", Form.Open), ("input", Form.Any), ("output", Form.Any), ("startedAt", Moment));

    private readonly Form _workflow;
    private readonly Form _secrets;

    public StandardForms(Workflow workflow)
    {
        WorkflowInput = workflow.InputSchema is { } schema ? Form.Of(schema) : Form.Any;
        _workflow = Form.Object(("id", Form.String), ("definition", Form.Open), ("input", WorkflowInput), ("startedAt", Moment));
        _secrets = Form.Object(workflow.Secrets.Select(s => KeyValuePair.Create(s, Form.Any)));
    }

    /// <summary>The raw input of the workflow.</summary>
    public Form WorkflowInput { get; }

    /// <summary>What a catch clause's variable holds (<see cref="WorkflowError"/>).</summary>
    public static Form Error { get; } = Form.Object(
        ("type", Form.String), ("status", Form.Number), ("title", Form.String.Or(Form.Null)), ("detail", Form.String.Or(Form.Null)), ("instance", Form.String.Or(Form.Null)));

    public Form Of(string name) => name switch
    {
        "workflow" => _workflow,
        "task" => Task,
        "runtime" => Runtime,
        "secrets" => _secrets,
        _ => Form.Any,
    };
}

/// <summary>Forms of what the language's own functions give.</summary>
internal static class Results
{
    public static Form Of(CallBody call) => call.Function switch
    {
        "shell" or "script" => Process(call.Arguments),
        "emit" => Form.Open,
        _ => Form.Any,
    };

    private static Form Process(Template arguments)
    {
        var returns = arguments.ConstantValue is { } constant ? constant["return"].StringOrNull
            : (arguments as Template.Members)?.All.FirstOrDefault(m => m.Key == "return").Value?.ConstantValue?.StringOrNull;
        return returns switch
        {
            "stdout" or "stderr" => Form.String,
            "code" => Form.Number,
            "all" => Form.Object(("code", Form.Number), ("stdout", Form.String), ("stderr", Form.String)),
            _ => Form.Any,
        };
    }
}
