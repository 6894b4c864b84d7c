using System.Text;
using Millrace.Jq;

namespace Millrace.Workflows.Kernel;

/// <summary><c>$authorization</c> (dsl.md, Authorization Descriptor): how a call says who it is.</summary>
internal static class AuthorizationDescriptor
{
    private const string Masked = "***";

    /// <param name="policy">The call's evaluated authentication.</param>
    /// <param name="secrets">The values of the secrets that the document lists.</param>
    /// <param name="isKept">What is made of it is written to the journal, where no credential may stand.</param>
    /// <returns>The parameter is null where only the call itself gets to know it: a token that has to be asked for.</returns>
    public static Json Of(Json policy, Func<Json> secrets, bool isKept)
    {
        Json Resolved(string kind) => policy[kind]["use"].StringOrNull is { } name ? secrets()[name] : policy[kind];
        if (policy["basic"].IsObject)
        {
            var basic = Resolved("basic");
            return Describe("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{basic["username"].StringOrNull}:{basic["password"].StringOrNull}")), isKept);
        }
        if (policy["bearer"].IsObject)
        {
            var bearer = Resolved("bearer");
            return Describe("Bearer", bearer.StringOrNull ?? bearer["token"].StringOrNull, isKept);
        }
        return policy["oauth2"].IsObject || policy["oidc"].IsObject ? Describe("Bearer", null, isKept) : Json.Null;
    }

    private static Json Describe(string scheme, string? parameter, bool isKept) =>
        Json.Object("scheme", scheme, "parameter", parameter is null ? Json.Null : isKept ? Masked : parameter);
}
