using Millrace.Workflows.Documents;

namespace Millrace.Workflows.Tests.Documents;

/// <summary>Wrong arguments of approve are refused where they stand.</summary>
public class ApproveDocumentTests
{
    private static IReadOnlyList<Diagnostic> Load(string with) => WorkflowLoader.Load(
        $"document: {{ dsl: 1.0.3, namespace: test, name: test, version: 1.0.0 }}\ndo:\n  - ask: {{ call: 'approve:1.0.0@default'{with} }}\n").Diagnostics;

    [Theory]
    [InlineData("", "workflow.missing_property", "/do/0/ask")]
    [InlineData(", with: {}", "workflow.missing_property", "/do/0/ask/with")]
    [InlineData(", with: {title: a, qorum: 1}", "workflow.unknown_property", "/do/0/ask/with/qorum")]
    [InlineData(", with: {title: a, quorum: 0}", "workflow.bad_value", "/do/0/ask/with/quorum")]
    [InlineData(", with: {title: a, approvers: [anna], quorum: 2}", "workflow.bad_value", "/do/0/ask/with/quorum")]
    [InlineData(", with: {title: a, reject: never}", "workflow.bad_value", "/do/0/ask/with/reject")]
    [InlineData(", with: {title: a, remind: soon}", "workflow.bad_duration", "/do/0/ask/with/remind")]
    [InlineData(", with: {title: a, escalate: {after: PT1H}}", "workflow.missing_property", "/do/0/ask/with/escalate")]
    [InlineData(", with: {title: a, expire: {after: PT1H, outcome: perhaps}}", "workflow.bad_value", "/do/0/ask/with/expire/outcome")]
    [InlineData(", with: {title: a, form: {type: [wrong]}}", "workflow.bad_schema", "/do/0/ask/with/form/type/0")]
    [InlineData(", with: {title: a, show: '${ $secrets.token }'}", "workflow.secret_exposed", "/do/0/ask/with/show")]
    [InlineData(", with: {title: '${ .a b }'}", "workflow.bad_expression", "/do/0/ask/with/title")]
    public void A_wrong_argument_is_refused_where_it_stands(string with, string code, string pointer)
    {
        var found = Load(with);
        Assert.Contains(found, d => d.Code == code && d.Pointer == pointer);
    }

    [Fact]
    public void All_arguments_together_are_right() => Assert.Empty(Load(
        ", with: {title: 'Pay ${ .n }?', description: long, show: {n: '${ .n }'}, form: {type: object}, approvers: {users: [anna], groups: [heads]}, quorum: 2, reject: quorum, delegate: false, remind: PT1H, escalate: {after: {hours: 2}, to: [bert]}, expire: {after: P1D, outcome: reject}, onReject: continue}"));
}
