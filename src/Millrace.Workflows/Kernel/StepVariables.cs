using System.Globalization;
using Millrace.Jq;
using Millrace.Workflows.Graph;

namespace Millrace.Workflows.Kernel;

/// <summary>
/// What an expression of a task may read (dsl.md, Runtime expression arguments): the standard arguments, and the
/// variables of the loops and catch clauses around it.
/// </summary>
internal sealed class StepVariables(Decision on, Step step) : IVariables
{
    private static readonly Json Runtime = JsonText.Parse("""{"name": "Millrace", "version": "0.1.0", "metadata": {}}""");

    public Json? RawOutput { get; init; }
    public Json? Output { get; init; }

    /// <summary>For a loop's own condition: the iteration about to begin.</summary>
    public int? Iteration { get; init; }

    /// <summary>For what a task says of each event or item: the one at hand.</summary>
    public bool InIteration { get; init; }

    /// <summary>For a catch clause's own conditions: the error at hand.</summary>
    public WorkflowError? Error { get; init; }

    /// <summary>For a task's condition and <c>input.from</c>: there is no transformed input yet.</summary>
    public bool BeforeInput { get; init; }

    /// <summary>For evaluating again what was evaluated before: the time of then, in Unix microseconds.</summary>
    public long? Now { get; init; }

    public JqOptions Options => Now is { } now ? new JqOptions { Now = now / 1e6 } : on.Options;

    public Json Get(string name)
    {
        switch (name)
        {
            case "context": return on.State.Context;
            case "input" when BeforeInput: return Json.Null;
            case "input": return step.Node is null ? step.Input : DataFlow.InputOf(on, step);
            case "output": return Output ?? Json.Null;
            case "runtime": return Runtime;
            case "workflow": return Workflow();
            case "task": return Task();
            case "authorization": return Authorization();
            case "secrets": return Secrets();
        }
        if (Iteration is { } iteration && step.Node.Body is ForBody own && Item(step, own, iteration, name) is { } item) return item;
        if (InIteration && step.Node.Body is ListenBody { ForEach: { } each } && Listening.Variable(step, each, name) is { } heard) return heard;
        if (InIteration && step.Node.Body is CallBody { Each: { } loop } && Consuming.Variable(step, loop, name) is { } came) return came;
        if (Error is not null && step.Node.Body is TryBody attempt && attempt.Catch.As == name) return Error.ToJson();
        return Lexical(name);
    }

    private Json Lexical(string name)
    {
        var child = step;
        for (var scope = step.Parent; scope?.Node is not null; child = scope, scope = scope.Parent)
        {
            if (scope.Compensates > 0) return name == Compensating.Variable ? scope.Compensated : Json.Null;
            switch (scope.Node.Body)
            {
                case ForBody loop when Item(scope, loop, child.Iteration, name) is { } item: return item;
                case ListenBody { ForEach: { } each } when Listening.Variable(scope, each, name) is { } heard: return heard;
                case CallBody { Each: { } each } when Consuming.Variable(scope, each, name) is { } came: return came;
                case TryBody attempt when scope.Caught is { } caught && attempt.Catch.As == name: return caught.ToJson();
                case InvokeBody: return Json.Null;
            }
        }
        return Json.Null;
    }

    private static Json? Item(Step step, ForBody loop, int index, string name) =>
        name == loop.Each ? step.Items![index] : name == loop.At ? (Json)index : (Json?)null;

    private Json Secrets() => on.Around.Secrets(on.State.Workflow.Secrets) ?? throw new WorkflowFault(new WorkflowError(
        ErrorTypes.Authorization, 403, "Secret not available", $"Not all of the secrets {string.Join(", ", on.State.Workflow.Secrets)} are in the vault."));

    private Json Authorization() => step.Node?.Body is CallBody { Authorization: { } policy }
        ? AuthorizationDescriptor.Of(policy.Evaluate(DataFlow.InputOf(on, step), this), Secrets, isKept: RawOutput is not null)
        : Json.Null;

    private Json Workflow()
    {
        var state = on.State;
        return new JsonObject.Builder().Set("id", state.Id.ToString()).Set("definition", state.Workflow.Definition)
            .Set("input", state.Input).Set("startedAt", Moment(state.IsStarted ? state.StartedAt : on.Now)).Build();
    }

    /// <summary>For what an extension does, and for its condition, it is the extended task, and has the members of its definition too (dsl-reference.md, the examples of Extension).</summary>
    private Json Task()
    {
        if (step.Node is null) return Json.Null;
        var extended = step.Node.Body is ExtendedBody ? step : Extending.Around(step);
        var (of, task) = (extended ?? step, new JsonObject.Builder());
        foreach (var (name, value) in extended?.Node.Definition.ObjectOrNull ?? JsonObject.Empty) task.Set(name, value);
        return task.Set("name", of.Node.Name).Set("reference", of.Node.Reference).Set("definition", of.Node.Definition)
            .Set("input", of.RawInput).Set("output", extended is null ? RawOutput ?? Json.Null : extended.Extension?.Output ?? Json.Null).Set("startedAt", Moment(of.StartedAt)).Build();
    }

    /// <summary>The specification's date time descriptor.</summary>
    private static Json Moment(long micros)
    {
        var text = DateTime.UnixEpoch.AddMicroseconds(micros).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        return Json.Object("iso8601", text, "epoch", Json.Object("seconds", micros / 1_000_000, "milliseconds", micros / 1000));
    }
}
