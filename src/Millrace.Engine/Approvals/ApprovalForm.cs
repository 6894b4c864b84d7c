using Millrace.Jq;
using Millrace.Workflows.Schema;

namespace Millrace.Engine.Approvals;

/// <summary>What people fill in when they decide: who agrees fills the form in, who rejects may leave it.</summary>
public static class ApprovalForm
{
    private const int ErrorsMax = 20;

    /// <param name="form">The question's form, a JSON Schema; null: there is none, and nothing may be filled in.</param>
    /// <returns>What is wrong with what was filled in; empty when nothing is.</returns>
    public static IReadOnlyList<SchemaError> Check(Json? form, bool approves, Json filledIn)
    {
        if (form is { } schema) return !approves && filledIn.IsNull ? [] : JsonSchema.Compile(schema).Validate(filledIn, ErrorsMax);
        return filledIn.IsNull ? [] : [new SchemaError("", "", "none", "There is no form to fill in.")];
    }
}
