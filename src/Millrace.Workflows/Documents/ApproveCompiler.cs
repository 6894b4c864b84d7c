using Millrace.Jq;
using Millrace.Workflows.Graph;
using Millrace.Workflows.Schema;
using static Millrace.Workflows.Documents.Dsl;

namespace Millrace.Workflows.Documents;

/// <summary>Compiles calls of <c>approve</c>.</summary>
internal static class ApproveCompiler
{
    /// <summary>The schema of a form, as JSON text.</summary>
    private const int FormBytesMax = 64 << 10;

    private static readonly Shape People = new EitherShape("a list of names, an object with users and groups, or a runtime expression in ${ }",
        new ListShape("a list of names", Name),
        new ObjectShape("the people to ask", May("users", new ListShape("a list of names", Name)), May("groups", new ListShape("a list of names", Name))),
        Enclosed);

    private static readonly Shape Arguments = new ObjectShape("the arguments of approve",
        Must("title", Name), May("description", Text), May("show", Any), May("form", new AnyShape("a JSON Schema", JsonKind.Object)), May("approvers", People),
        May("quorum", new EitherShape($"a whole number from 1 to {ApproveBody.QuorumMax}, or a runtime expression in ${{ }}", new WholeShape(1, ApproveBody.QuorumMax), Enclosed)),
        May("reject", new ChoiceShape("any", "quorum")), May("delegate", Flag), May("remind", Dsl.Duration),
        May("escalate", new ObjectShape("an escalation", Must("after", Dsl.Duration), Must("to", People))),
        May("expire", new ObjectShape("an expiry", Must("after", Dsl.Duration), May("outcome", new ChoiceShape("fail", "reject", "approve")))),
        May("onReject", new ChoiceShape("fault", "continue")));

    public static ApproveBody Compile(Compilation of, Cursor task, IReadOnlyList<string> names)
    {
        var with = task["with"];
        if (with.IsAbsent) of.Findings.AtKey("workflow.missing_property", task.Pointer, "A call of approve needs the property 'with'.", "with: {title: a text}");
        else Arguments.Check(with.Value, with.Pointer, of.Findings);
        CheckQuorum(of, with);
        return new ApproveBody(Kept("title") ?? Template.Of(""), Kept("description"), Kept("show"), Kept("approvers"), Form(of, with["form"]), Kept("quorum") ?? Template.Of(1))
        {
            Keyword = "call",
            RejectsByQuorum = with["reject"].Text == "quorum",
            MayDelegate = with["delegate"].Value is not { Kind: JsonKind.False },
            Remind = of.Duration(with["remind"], names),
            EscalateAfter = of.Duration(with["escalate"]["after"], names),
            EscalateTo = with["escalate"]["to"].IsAbsent ? null : of.Template(with["escalate"]["to"], names, Place.Kept),
            ExpireAfter = of.Duration(with["expire"]["after"], names),
            Expiry = with["expire"]["outcome"].Text switch { "reject" => Expiry.Reject, "approve" => Expiry.Approve, _ => Expiry.Fail },
            GoesOn = with["onReject"].Text == "continue",
        };

        Template? Kept(string name) => with[name].IsAbsent ? null : of.Template(with[name], names, Place.Kept);
    }

    /// <summary>People who are named one by one can be counted before anybody is asked.</summary>
    private static void CheckQuorum(Compilation of, Cursor with)
    {
        var (people, quorum) = (with["approvers"], with["quorum"]);
        var users = people.Is(JsonKind.Array) ? people.Value.AsArray() : people["groups"].Value.ArrayOrNull is { Count: > 0 } ? null : people["users"].Value.ArrayOrNull;
        if (users is null || !quorum.Value.IsNumber || of.Findings.IsWrong(quorum.Pointer) || users.Any(u => u.StringOrNull is not { } text || text.Contains("${", StringComparison.Ordinal))) return;
        var count = users.Select(u => u.AsString()).Distinct().Count();
        if (quorum.Value.AsNumber() > count)
            of.Findings.AtValue("workflow.bad_value", quorum.Pointer, $"{count} people are asked; {quorum.Value} can never agree.", $"at most {count}");
    }

    private static JsonSchema? Form(Compilation of, Cursor form)
    {
        if (!form.Is(JsonKind.Object)) return null;
        if (JsonText.ToUtf8(form.Value).Length > FormBytesMax)
        {
            of.Findings.AtValue("workflow.limit", form.Pointer, $"A form's schema has at most {FormBytesMax} bytes.");
            return null;
        }
        try
        {
            return JsonSchema.Compile(form.Value);
        }
        catch (JsonSchemaException e)
        {
            of.Findings.AtValue("workflow.bad_schema", form.Pointer + e.Pointer, $"This is no JSON Schema: {e.Message}.");
            return null;
        }
    }
}
