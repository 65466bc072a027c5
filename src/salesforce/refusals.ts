/*
 * What is known about objects that behave unlike the rest (field guide, extract 4). These lists are hints that save calls; they differ from
 * version to version, and what the org answers at run time is what counts.
 */

const names = (list: string) => new Set(list.trim().split(/\s+/));

/** The org refuses every query of them, although some are described as queryable. */
const notQueryable = names(`
  ActivityHistory AggregateResult ApexTypeImplementor AppTabMember ApiEventStream AttachedContentDocument AttachedContentNote
  CollaborationGroupRecord ColorDefinition CombinedAttachment ContentBody DashboardSnapshotResults DatacloudAddress DatacloudCompany DatacloudContact DatacloudDandBCompany
  DataType EmailStatus FeedLike FeedSignal FeedTrackedChange FolderedContentDocument IconDefinition ListViewChartInstance
  LookedUpFromActivity Name NetworkUserHistoryRecent NoteAndAttachment OpenActivity OrgLifecycleNotification OutgoingEmail
  OutgoingEmailRelation OwnedContentDocument PlatformAction PlatformEventUsageMetric ProcessInstanceHistory QuoteTemplateRichTextData
  UserAppMenuItem`);

/** They want a filter by Id or by a parent, or they are views that hold no data of their own. */
const wantsFilter = names(`
  ActivityMetric ActivityMetricRollup Announcement ContentVersionRenditionContent DataStatistics EntityParticle
  FieldDefinition FlexQueueItem FlowTestView FlowVariableView FlowVersionView OwnerChangeOptionInfo PicklistValueInfo
  RecordActionHistory RecordRecommendation RelatedListColumnDefinition RelatedListDefinition RelationshipDomain RelationshipInfo SearchLayout SiteDetail
  UserEntityAccess UserFieldAccess UserRecordAccess`);

/** Bulk refuses them: INVALIDENTITY. */
const notBulk = names(`
  AcceptedEventRelation AccountBrandShare AccountFeed AssetFeed AssetTokenEvent CaseStatus CaseTeamMember CaseTeamRole CaseTeamTemplate
  CaseTeamTemplateMember CaseTeamTemplateRecord ChannelProgramLevelShare ContractStatus DeclinedEventRelation EventWhoRelation
  FieldSecurityClassification KnowledgeArticle KnowledgeArticleVersion KnowledgeArticleVersionHistory KnowledgeArticleViewStat
  KnowledgeArticleVoteStat OrderStatus PartnerRole RecentlyViewed ServiceAppointmentStatus ShiftStatus SolutionStatus TaskPriority
  TaskStatus TaskWhoRelation UndecidedEventRelation WorkOrderLineItemStatus WorkOrderStatus WorkStepStatus`);

export const filterReason = 'the org refuses queries of it without a filter on one record';

interface Named {
  readonly name: string;
  readonly queryable: boolean;
  readonly customSetting?: boolean;
  readonly replicateable?: boolean;
  readonly retrieveable?: boolean;
}

/** Why the object is not asked at all; undefined: it is worth asking. */
export function noQueryReason(object: Named): string | undefined {
  const { name } = object;
  if (/ChangeEvent$/.test(name)) return 'change events are a stream, not stored records';
  if (/__e$|EventStream$/.test(name)) return 'platform events are a stream, not stored records';
  if (/__(x|xo)$/.test(name)) return 'external objects: their data is kept in another system';
  if (/__(dlm|dll|hd|chn|p)$/.test(name)) return 'not stored as records of this org';
  if (!object.queryable) return 'the org says that it cannot be queried';
  if (notQueryable.has(name)) return 'the org refuses queries of it';
  if (name === 'EntityDefinition') return 'it lists the objects, whose describes the point keeps';
  if (wantsFilter.has(name)) return filterReason;
  return undefined;
}

/** True when Bulk is known, or very likely, to refuse the object. */
export function bulkLikelyRefused(object: Named): boolean {
  if (notBulk.has(object.name)) return true;
  if (/__mdt$|__(voteStat|viewStat|Tag)$/.test(object.name)) return true;
  // Queryable but neither: RecentlyViewed and its kind (field guide, extract 2.2).
  return object.replicateable === false && object.retrieveable === false && !/__b$/.test(object.name);
}

/** Words by which Bulk says that it does not do this object or column at all (field guide, extract 3.3 and 3.6). */
export const bulkRefusal =
  /INVALIDENTITY|InvalidEntity|FeatureNotEnabled|FEATURENOTENABLED|FUNCTIONALITY_NOT_ENABLED|not supported by the Bulk API|compound data not supported|does not support query|Binary field not supported|Cannot serialize value|QUERY_TOO_COMPLICATED/i;
